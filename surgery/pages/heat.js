"use strict";
{
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;

  const hide = () => (tip.hidden = true);
  const show = (cell) => {
    const [place, ...figures] = cell.getAttribute("aria-label").split(" · ");
    const title = document.createElement("b");
    title.textContent = place;
    const row = document.createElement("div");
    row.className = "row";
    const of = cell.dataset.key && document.querySelector(`.shots[data-key="${cell.dataset.key}"]`);
    if (of) row.append(...[...of.querySelectorAll("img")].slice(0, 4).map((one) => one.cloneNode()));
    tip.replaceChildren(title, ...figures.map((one) => Object.assign(document.createElement("div"), { textContent: one })), ...(of ? [row] : []));
    tip.hidden = false;
    const at = cell.getBoundingClientRect();
    const left = at.left + at.width / 2 - tip.offsetWidth / 2;
    const above = at.top - tip.offsetHeight - 10;
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 10}px`;
  };

  const found = (event) => event.target.closest?.(".cell[aria-label], .well[aria-label]");
  document.addEventListener("pointerover", (event) => (found(event) ? show(found(event)) : hide()));
  document.addEventListener("focusin", (event) => (found(event) ? show(found(event)) : hide()));
  document.addEventListener("click", (event) => found(event) && show(found(event)));
  document.addEventListener("scroll", hide, { passive: true, capture: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  // One stop of the Tab key for each chart; the arrows go from cell to cell.
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  for (const chart of document.querySelectorAll(".heat")) {
    const cells = [...chart.querySelectorAll("button")];
    const wide = Number(chart.dataset.wide);
    const enter = cells.find((one) => one.classList.contains("found")) ?? cells[0];
    for (const cell of cells) cell.tabIndex = cell === enter ? 0 : -1;
    chart.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      const from = cells.indexOf(document.activeElement);
      if (!step || from < 0) return;
      event.preventDefault();
      const next = cells[from + step[0] + wide * step[1]];
      if (!next) return;
      document.activeElement.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
}
