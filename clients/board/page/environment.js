// The alarms of the environment and the refused files of the segments. What is not known is never told as fine.

import { element, label, moment, number, setText } from "./text.js";

const NO_DATA = "INSUFFICIENT_DATA";

/** place: the panel; zone: of the times. */
export class Alarms {
  constructor({ place, zone }) {
    Object.assign(this, { place, zone });
    [this.note, this.on, this.others] = ["[aria-live]", ".on", ".others"].map((of) => place.querySelector(of));
  }

  /** message: the newest; now: milliseconds. */
  draw(message, now) {
    if (isUnread(message, "alarms")) return;
    const all = message.alarms ?? [];
    const on = all.filter(({ state }) => state === "ALARM").sort((one, other) => other.since.localeCompare(one.since));
    const others = all.filter(({ state }) => state !== "ALARM").sort((one, other) => one.state.localeCompare(other.state));
    setText(this.note, notKnown(message, this.zone, now) ?? alarmsText(on, others));
    this.place.toggleAttribute("data-wrong", on.length > 0 || this.note.textContent.startsWith("⚠"));
    redraw(this.on, on, (alarm) => this.item(alarm, now));
    redraw(this.others.querySelector("ul"), others, (alarm) => this.item(alarm, now));
    this.others.hidden = others.length === 0;
    setText(this.others.querySelector("summary"), `${number(others.length)} others`);
  }

  item({ name, region, state, since, reason, shows, link, runbook }, now) {
    const isOn = state === "ALARM";
    const told = state === NO_DATA ? "no data" : state;
    return element(
      "li",
      { "data-state": state },
      element("strong", {}, told),
      " ",
      label(name),
      element("span", { class: "of" }, ` ${region}, since ${moment(since, this.zone, now)} `),
      link ? element("a", { href: link, target: "_blank", rel: "noreferrer", "data-key": name, "aria-label": `what to do: ${name}` }, "what to do") : runbook,
      isOn ? element("p", { class: "detail" }, sentence(shows, name)) : "",
      isOn ? element("details", { "data-why": name }, element("summary", { "data-key": `why ${name}`, "aria-label": `why: ${name}` }, "why"), element("bdi", {}, reason)) : "",
    );
  }
}

export class Refused {
  constructor({ place, zone }) {
    Object.assign(this, { place, zone });
    [this.note, this.list] = ["[aria-live]", "ul"].map((of) => place.querySelector(of));
  }

  draw(message, now) {
    if (isUnread(message, "files")) return;
    const files = message.files ?? [];
    setText(this.note, notKnown(message, this.zone, now) ?? (files.length ? `The newest ${number(files.length)}` : "No file is kept as refused"));
    this.place.toggleAttribute("data-wrong", this.note.textContent.startsWith("⚠"));
    redraw(this.list, files, ({ name, uploaded_at: at, reasons, number: all }) =>
      element(
        "li",
        {},
        label(name),
        element("span", { class: "of" }, ` uploaded ${moment(at, this.zone, now)}`),
        element(
          "ul",
          { class: "reasons" },
          ...reasons.map((reason) => element("li", {}, element("bdi", {}, reason))),
          ...(all > reasons.length ? [element("li", {}, `and ${number(all - reasons.length)} more`)] : []),
        ),
      ),
    );
  }
}

/** Nothing was read yet, and nothing failed. */
const isUnread = (message, what) => message[what] === null && !message.not_known;

/** Why it is not known, and since when; null where it is. */
function notKnown({ not_known: why, freshness }, zone, now) {
  if (!why) return null;
  return freshness ? `⚠ not known since ${moment(freshness.asked_at, zone, now)}: ${why}` : `⚠ not known: ${why}`;
}

function alarmsText(on, others) {
  const all = on.length + others.length;
  if (all === 0) return "⚠ not known: CloudWatch has no alarm of this environment";
  const silent = others.filter(({ state }) => state === NO_DATA).length;
  return `${on.length ? number(on.length) : "None"} of ${number(all)} in ALARM` + (silent ? `; ${number(silent)} without data` : "");
}

/** What ALARM shows, without the beginning of the alarm's name that it repeats. */
function sentence(shows, name) {
  const colon = shows.indexOf(": ");
  return colon > 0 && name.startsWith(shows.slice(0, colon)) ? shows.slice(colon + 2) : shows;
}

/** Only where it differs, and with the focus where it was: a screen reader is not sent back. */
function redraw(list, items, item) {
  const shown = JSON.stringify(items);
  if (list.shown === shown) return;
  list.shown = shown;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const opened = [...list.querySelectorAll("details[open]")].map(({ dataset }) => dataset.why);
  list.replaceChildren(...items.map(item));
  for (const details of list.querySelectorAll("details")) details.open = opened.includes(details.dataset.why);
  if (focused) [...list.querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === focused)?.focus();
}
