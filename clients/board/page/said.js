// What a screen reader is told beside what it reads: the answer to a choice of the viewer, and that a problem is over.
// Each is told once; what comes with every refresh is not.

import { element } from "./text.js";

export class Said {
  /** place: a live region. */
  constructor(place) {
    Object.assign(this, { place, asked: null, isAway: false });
  }

  /** The viewer chose what the panel of this kind will show. */
  ask(kind) {
    this.asked = kind;
  }

  /** The panel of this kind shows a new answer. */
  answer(kind) {
    if (kind !== this.asked) return;
    this.asked = null;
    const panel = document.querySelector(`.panel[data-kind="${kind}"]`);
    const parts = [...panel.querySelectorAll("h2, .note > span:first-child, .empty:not([hidden])")];
    const [title, ...notes] = parts.map((part) => part.textContent).filter((text) => text !== "");
    this.tell(`${title}: ${notes.join("; ")}`);
  }

  /** live: as `liveness` tells it; the problem itself is an alert. */
  state({ state, text }) {
    if (this.isAway && (state === "live" || state === "past")) this.tell(text);
    this.isAway = state === "away" || (this.isAway && state === "waiting");
  }

  /** A new element is told even where its text is that of the last one. */
  tell(text) {
    this.place.replaceChildren(element("span", {}, text));
  }
}
