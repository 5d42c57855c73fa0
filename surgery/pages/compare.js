"use strict";
{
  // Without this script the two pictures stand side by side.
  document.documentElement.classList.add("live");
  const sliders = [...document.querySelectorAll(".pictures input")];

  const set = (slider, value) => {
    slider.value = value;
    slider.parentElement.style.setProperty("--at", slider.value);
    slider.setAttribute("aria-valuetext", `${slider.value} % before`);
  };

  for (const slider of sliders) {
    const stage = slider.parentElement;
    const follow = (event) => {
      const box = stage.getBoundingClientRect();
      set(slider, (100 * (event.clientX - box.left)) / box.width);
    };
    set(slider, slider.value);
    slider.addEventListener("input", () => set(slider, slider.value));
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      slider.focus({ preventScroll: true, focusVisible: false });
      stage.setPointerCapture(event.pointerId);
      follow(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  for (const all of document.querySelectorAll("input.all")) {
    all.parentElement.hidden = sliders.length < 2;
    all.addEventListener("input", () => sliders.forEach((slider) => set(slider, all.value)));
  }
}
