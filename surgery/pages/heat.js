"use strict";
{
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  let shown = null;

  const line = (name, text) => Object.assign(document.createElement(name), { textContent: text });

  const pictures = (cell) => {
    const shots = cell.dataset.key && document.querySelector(`.shots[data-key="${cell.dataset.key}"]`);
    if (!shots) return [];
    const row = line("div", "");
    row.className = "row";
    row.append(...[...shots.querySelectorAll("img")].slice(0, 4).map((one) => one.cloneNode()));
    return [row];
  };

  const put = () => {
    const at = shown.getBoundingClientRect();
    const wide = document.documentElement.clientWidth;
    const left = at.left + at.width / 2 - tip.offsetWidth / 2;
    const above = at.top - tip.offsetHeight - 10;
    tip.style.left = `${Math.max(8, Math.min(left, wide - tip.offsetWidth - 8))}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 10}px`;
  };

  const show = (cell) => {
    shown = cell;
    tip.hidden = !cell;
    if (!cell) return;
    const [place, ...figures] = cell.getAttribute("aria-label").split(" · ");
    tip.replaceChildren(line("b", place), ...figures.map((one) => line("div", one)), ...pictures(cell));
    put();
  };

  const under = (event) => event.target.closest?.(".cell[aria-label], .well[aria-label]") ?? null;
  for (const name of ["pointerover", "focusin", "click"]) {
    document.addEventListener(name, (event) => show(under(event)));
  }
  document.addEventListener("scroll", () => shown && put(), { passive: true, capture: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(null));

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
      let to = from;
      do to += step[0] + wide * step[1];
      while (cells[to]?.disabled);
      const next = cells[to];
      if (!next) return;
      document.activeElement.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
}
