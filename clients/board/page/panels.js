// What each panel says of itself: how old what it shows is, and whether it is still reading what was chosen.

import { age } from "./text.js";

const OLD_SECONDS = 15;
const OLD_TIMES = 3; // as long as the board waits until it asks again

const panels = () => document.querySelectorAll(".panel[data-kind]");

/** After so many seconds a panel is old: message: its newest. */
export const oldAfter = (message) => Math.max(OLD_TIMES * (message?.seconds_between ?? 0), OLD_SECONDS);

/** messages: the newest of each kind; now: milliseconds. */
export function drawAges(messages, now) {
  for (const panel of panels()) {
    const { kind } = panel.dataset;
    const message = kind === "account" ? ofAccount(messages.status) : messages[kind];
    const place = panel.querySelector(".age");
    const at = message?.freshness?.asked_at; // none where it could never be read
    const seconds = at ? (now - Date.parse(at)) / 1000 : null;
    const old = seconds !== null && seconds > oldAfter(message);
    const text = at ? (old ? `⚠ ${age(seconds)} old` : `read ${age(seconds)} ago`) : "";
    if (place.textContent !== text) place.textContent = text;
    panel.toggleAttribute("data-old", old);
  }
}

/** As a message of its own: it comes with the status, and has its own age. */
const ofAccount = (status) => status?.account && { freshness: { asked_at: status.account.told_at } };

/** Until the next message of its kind, a panel shows what was chosen before. */
export function markBusy(kinds) {
  for (const panel of panels()) if (kinds.includes(panel.dataset.kind)) panel.setAttribute("aria-busy", "true");
}

export function markRead(kind) {
  document.querySelector(`.panel[data-kind="${kind}"]`)?.removeAttribute("aria-busy");
}
