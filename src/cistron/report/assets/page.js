"use strict";
const cistron = {}; // what the scripts of a page share
// A failure is shown and counted, never silent.
window.addEventListener("error", (event) => {
  const root = document.documentElement;
  root.dataset.scriptErrors = (root.dataset.scriptErrors || "") + event.message + "\n";
});
window.addEventListener("unhandledrejection", (event) => {
  const root = document.documentElement;
  root.dataset.scriptErrors = (root.dataset.scriptErrors || "") + event.reason + "\n";
});

// Contents are open beside the page; above it, on a narrow screen, they wait behind one line.
for (const contents of document.querySelectorAll("details.contents")) {
  contents.open = window.matchMedia("(min-width: 1150px)").matches;
}

// Remarks of marks in figures: shown beside the pointer.
(() => {
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest && event.target.closest("[data-tip]");
    if (!mark) { hide(); return; }
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - box.width - 8);
    const above = event.clientY + 18 + box.height > window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above ? event.clientY - box.height - 12 : event.clientY + 18}px`;
  });
  document.addEventListener("scroll", hide, true);
})();
