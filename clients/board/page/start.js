// Loaded before the modules: says on the page why they cannot start, where they would leave it at "Connecting …".

// uPlot makes a number format of the browser's language as it loads, and a browser without a locale has none
// that is valid (en-US@posix).
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}

function stopped(reason) {
  const state = document.getElementById("state");
  if (!state || state.dataset.state !== "waiting") return; // once it runs, the page tells by itself what it lacks
  state.dataset.state = "away";
  state.textContent = "stopped";
  const problem = document.getElementById("problem");
  problem.firstElementChild.textContent = `The page cannot start: ${reason}. Reload it; a browser of the last two years can show it.`;
  problem.hidden = false;
}

// A script that is not there tells only its element, so the event is caught on its way down.
addEventListener("error", (event) => stopped(event.message || `${event.target.src} cannot be read`), true);
addEventListener("unhandledrejection", (event) => stopped(event.reason));
