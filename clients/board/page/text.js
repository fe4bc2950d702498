// Numbers, times and ages as people read them.

const whole = new Intl.NumberFormat("en");
const clocks = new Map();
const HALF_A_DAY_MS = 43_200_000;

export const number = (value) => whole.format(value);

/** 2.34 as "2.3", 23.4 as "23", 0.0234 as "0.02": what is not zero is not written as zero. */
export function times(value) {
  if (value >= 10) return number(Math.round(value));
  if (value >= 0.1 || value === 0) return value.toFixed(1);
  return value < 0.0001 ? "0.0001" : Number(value.toPrecision(1)).toString();
}

/** The zone, or UTC where this browser does not know it. */
export function knownZone(zone) {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

/** The time of day of a Date or ISO text in that zone: "09:15", or to the second "09:15:20". */
export function clock(time, zone, toTheSecond = false) {
  const name = `${zone} ${toTheSecond}`;
  if (!clocks.has(name)) {
    const second = toTheSecond ? "2-digit" : undefined;
    clocks.set(
      name,
      new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second }),
    );
  }
  return clocks.get(name).format(new Date(time));
}

/** The clock, with the day where it was more than half a day before or after `now` (milliseconds). */
export function moment(time, zone, now, toTheSecond = false) {
  const at = new Date(time);
  if (Math.abs(now - at) < HALF_A_DAY_MS) return clock(at, zone, toTheSecond);
  return `${day(at, zone)} ${clock(at, zone, toTheSecond)}`;
}

/** The day of a time in that zone: "2026-01-31". */
export function day(time, zone) {
  const two = "2-digit";
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: two, day: two }).format(new Date(time));
}

/** An age in seconds: "4 s", "3 min", "2 h 5 min", "3 days"; as age_text in clients/batch_server/text.py. */
export function age(seconds) {
  const rounded = Math.max(Math.round(seconds), 0);
  if (rounded < 100) return `${rounded} s`;
  const minutes = Math.round(rounded / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** A span in seconds: "10 seconds", "minute", "10 minutes", "hour"; as length_text in clients/batch_server/text.py. */
export function span(seconds) {
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= length && seconds % length === 0) {
      const amount = seconds / length;
      return amount === 1 ? unit : `${amount} ${unit}s`;
    }
  }
  return `${seconds} seconds`;
}

/** age_band as "age band". */
export const columnName = (column) => column.replaceAll("_", " ");

/** A new element with attributes and children; texts are only ever texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A screen reader tells the name and value of what has the focus whenever they change: not more often than this. */
export const QUIET_MS = 30_000;

/** A live region set again to the same text is told again. */
export function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** What separates two texts for those who hear them; others see them apart. */
export const heard = (text) => element("span", { class: "heard" }, text);

/** An article's label that opens what is told about it: open(id). */
export function articleButton({ id, label: text }, open) {
  const button = element("button", { type: "button", class: "article", title: `${text}: all about it`, "aria-description": "all about it" }, label(text));
  button.addEventListener("click", () => open(id));
  return button;
}

/** A label from outside: kept apart from the text around it, whatever its writing direction. */
export const label = (text, name = "bdi") => element(name, { class: "label", title: text }, text);
