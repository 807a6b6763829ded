// Keeps the federation page up to date, and copies examples. Without this
// script the page shows the state at the time it was loaded, and examples are
// selected by hand.
"use strict";
(() => {
  const region = document.querySelector("[data-live-region]");
  const state = document.querySelector("[data-live-state]");
  const button = document.querySelector("[data-live-toggle]");
  if (!region || !state || !button || !("EventSource" in window)) return;

  let source = null;

  const say = (key) => { state.textContent = state.dataset[key]; };

  const start = () => {
    source = new EventSource(region.dataset.liveRegion);
    source.addEventListener("open", () => say("live"));
    source.addEventListener("error", () => say("lost"));
    // The fragment is rendered and escaped by the server, as the page was.
    source.addEventListener("status", (event) => { region.innerHTML = event.data; });
    button.textContent = button.dataset.pause;
  };

  const stop = () => {
    source.close();
    source = null;
    say("paused");
    button.textContent = button.dataset.resume;
  };

  button.addEventListener("click", () => (source ? stop() : start()));
  button.hidden = false;
  start();
})();
(() => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    const text = button.parentElement.querySelector("[data-copy-text]");
    const words = button.firstChild;
    const before = words.data;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      words.data = button.dataset.copied;
    });
    button.addEventListener("blur", () => { words.data = before; });
    button.hidden = false;
  }
})();
