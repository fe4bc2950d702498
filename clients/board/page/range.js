// The time that is shown: the last minutes or hours, which move on, or a time with a beginning and an end. Times are
// chosen and shown in the zone of the board.

import { element, span } from "./text.js";

const PRESETS = { "10m": 600, "1h": 3600, "6h": 21_600, "24h": 86_400 };
const DAY_MS = 86_400_000;
const [FIRST, LAST] = ["1970-01-02", "9999-12-30"].map((day) => Date.parse(day));
const parts = new Map();

/** Whether a calendar can show it in any zone; addresses hold any text. */
export const isTime = (time) => time >= FIRST && time <= LAST;

/** Of a time that moves, in seconds: of {last: "10m"}, or the board's own. */
export function lastSeconds(range, settings) {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(range.last ?? "") ?? [];
  return amount ? amount * { s: 1, m: 60, h: 3600, d: 86_400 }[unit] : settings.last_seconds;
}

/** The clock of that zone at a time (milliseconds), as milliseconds of a clock in UTC that shows the same. */
function shownBy(zone, time) {
  if (!parts.has(zone)) {
    const two = "2-digit";
    const form = { timeZone: zone, year: "numeric", month: two, day: two, hour: two, minute: two, second: two };
    parts.set(zone, new Intl.DateTimeFormat("sv-SE", form));
  }
  return Date.parse(`${parts.get(zone).format(time).replace(" ", "T")}Z`);
}

/** The time (milliseconds) at which the clock of the zone shows "2026-01-31T09:15", the first if there are two; NaN
    for another text. One that is left out in spring is the time as long after midnight. */
export function timeOf(text, zone) {
  const wanted = Date.parse(`${text}Z`);
  if (!isTime(wanted)) return NaN;
  const offsets = [-DAY_MS, DAY_MS].map((ms) => shownBy(zone, wanted + ms) - (wanted + ms));
  const found = offsets.map((offset) => wanted - offset).filter((time) => shownBy(zone, time) === wanted);
  return found.length ? Math.min(...found) : wanted - offsets[0];
}

const textOf = (time, zone) => new Date(shownBy(zone, time)).toISOString().slice(0, 16);
const dayOf = (time, zone) => textOf(time, zone).slice(0, 10);
const dayAfter = (day, days = 1) => new Date(Date.parse(`${day}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
const midnight = (day, zone) => timeOf(`${day}T00:00`, zone);
const fixed = (since, until) => ({ since: new Date(since).toISOString(), until: new Date(until).toISOString() });

/** A day of the zone: since and until. */
export const wholeDay = (day, zone) => fixed(midnight(day, zone), midnight(dayAfter(day), zone));

/** "10:00 to 11:00", with the day where it is not today; now: milliseconds. */
export function rangeText(since, until, zone, now) {
  if (!isTime(since) || !isTime(until)) return "a time that is none";
  const [from, to] = [textOf(since, zone), textOf(until, zone)];
  if (from.endsWith("T00:00") && to === `${dayAfter(from.slice(0, 10))}T00:00`) return from.slice(0, 10);
  const today = dayOf(now, zone);
  const text = (time) => (time.startsWith(today) ? time.slice(11) : time.replace("T", " "));
  return `${text(from)} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : text(to)}`;
}

export class RangeBar {
  /** settings: the board's; now(): milliseconds by the board; shown(): {since, until} in milliseconds of what is
      shown; choose(range): called with what was chosen. */
  constructor({ settings, zone, now, shown, choose }) {
    Object.assign(this, { settings, zone, now, shown, choose, range: {} });
    this.at = (id) => document.getElementById(id);
    this.own = Object.keys(PRESETS).find((name) => PRESETS[name] === settings.last_seconds) ?? "own";
    const offered = Object.entries({ ...(this.own === "own" ? { own: settings.last_seconds } : {}), ...PRESETS });
    for (const [name, seconds] of offered) {
      const radio = element("input", { type: "radio", name: "last", value: name, "aria-label": `last ${span(seconds)}` });
      radio.addEventListener("change", () => choose(name === this.own ? {} : { last: name }));
      this.at("last").append(element("label", {}, radio, element("span", { "aria-hidden": "true" }, name === "own" ? span(seconds) : name)));
    }
    this.at("earlier").addEventListener("click", () => this.step(-1));
    this.at("later").addEventListener("click", () => this.step(1));
    this.at("pause").addEventListener("click", () => this.pause());
    this.at("day").addEventListener("change", () => {
      const { value, validity } = this.at("day"); // a year that is being typed is a year too
      if (value && validity.valid) this.chooseAbove(wholeDay(value, zone));
    });
    this.at("times").addEventListener("submit", (event) => {
      event.preventDefault();
      const [since, until] = ["since", "until"].map((id) => timeOf(this.at(id).value, zone));
      this.at("times-wrong").hidden = until > since;
      if (until > since) this.chooseAbove(fixed(since, until));
    });
    this.times = this.at("times").closest("details");
    this.times.addEventListener("keydown", (event) => event.key === "Escape" && this.closeTimes());
    for (const each of [this.at("earlier"), this.at("pause"), ...this.at("times").elements]) each.disabled = false;
  }

  /** What was chosen there is seen below it. */
  chooseAbove(range) {
    this.closeTimes();
    this.choose(range);
  }

  closeTimes() {
    this.times.open = false;
    this.times.querySelector("summary").focus();
  }

  get isFixed() {
    return "since" in this.range;
  }

  draw(range) {
    this.range = range;
    const chosen = this.isFixed ? null : range.last ?? this.own;
    for (const radio of this.at("last").querySelectorAll("input")) radio.checked = radio.value === chosen;
    const [sign, text] = this.at("pause").children;
    [sign.textContent, text.textContent] = this.isFixed ? ["▶", "live"] : ["❚❚", "pause"];
    this.at("times-zone").textContent = this.zone;
    if (this.isFixed) {
      const [since, until] = [range.since, range.until].map((time) => Date.parse(time));
      if (!isTime(since) || !isTime(until)) return; // the board says what is wrong with it
      this.at("since").value = textOf(since, this.zone);
      this.at("until").value = textOf(until, this.zone);
      this.at("day").value = this.dayShown(since, until) ?? "";
    } else {
      this.at("day").value = "";
    }
    this.tick();
  }

  /** What is not over yet has nothing later. */
  tick() {
    this.at("later").disabled = !this.isFixed || Date.parse(this.range.until) > this.now();
  }

  dayShown(since, until) {
    const day = dayOf(since, this.zone);
    return since === midnight(day, this.zone) && until === midnight(dayAfter(day), this.zone) ? day : null;
  }

  /** Keeps what is shown; or goes on with as long a time that moves, where one is offered. */
  pause() {
    if (!this.isFixed) {
      const shown = this.shown();
      if (shown) this.choose(fixed(shown.since, shown.until));
      return;
    }
    this.choose(this.moving(Date.parse(this.range.until) - Date.parse(this.range.since)) ?? {});
  }

  /** The range that moves and is as long, but for the count that was running; null where none is offered. */
  moving(length) {
    const fits = (seconds) => length - seconds * 1000 >= 0 && length - seconds * 1000 <= this.settings.grain_seconds * 1000;
    if (fits(this.settings.last_seconds)) return {};
    const name = Object.keys(PRESETS).find((each) => fits(PRESETS[each]));
    return name ? { last: name } : null;
  }

  step(direction) {
    if (!this.isFixed) {
      const since = this.shown()?.since;
      if (since) this.choose(fixed(since - lastSeconds(this.range, this.settings) * 1000, since));
      return;
    }
    const [since, until] = [this.range.since, this.range.until].map((time) => Date.parse(time));
    if (!isTime(since) || !isTime(until)) return;
    const day = this.dayShown(since, until);
    if (day !== null) {
      this.choose(wholeDay(dayAfter(day, direction), this.zone));
      return;
    }
    const by = direction * (until - since);
    const moving = until + by >= this.now() ? this.moving(Math.abs(by)) : null;
    this.choose(moving ?? fixed(since + by, until + by));
  }
}
