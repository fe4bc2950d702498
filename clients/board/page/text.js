// Numbers, times and ages as people read them.

const whole = new Intl.NumberFormat("en");
const clocks = new Map();

export const number = (value) => whole.format(value);

/** 2.34 as "2.3", 23.4 as "23". */
export const times = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toString());

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

/** A label from outside: kept apart from the text around it, whatever its writing direction. */
export const label = (text, name = "bdi") => element(name, { class: "label", title: text }, text);
