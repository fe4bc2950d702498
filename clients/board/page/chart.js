// Clicks over time as bars, drawn by uPlot: complete ones, those still being counted, and rejected ones.

import uPlot from "/charts/uPlot.esm.js";
import { day, element, QUIET_MS, setText } from "./text.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

// 1, 2, 5, 10, 20, ... : clicks are whole, and a chart with none that fits would have no number but 0.
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

// Seconds between two times of the axis, which tells no seconds.
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60);
// In uPlot's order: the least step, a time, and what follows it where a year, month, day, ... begins; 1: it follows.
const TIMES_OF_DAYS = [[1, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1]];

export class Chart {
  /** zoom(since, until): called with the time that was drawn over, in seconds. */
  constructor(place, zone, zoom) {
    Object.assign(this, { place, zone, zoom });
    this.at = null; // the bar that is pointed at
    this.value = element("span", { class: "value", "aria-hidden": "true", hidden: "" });
    place.append(this.value);
    for (const [name, value] of Object.entries({ role: "slider", tabindex: "0", "aria-valuemin": "0" })) place.setAttribute(name, value);
    place.addEventListener("keydown", (event) => this.walk(event));
    place.addEventListener("blur", () => this.point(null));
    place.addEventListener("pointerleave", () => this.point(null));
    this.point(null);
    new ResizeObserver(() => this.resize()).observe(place);
    dark.addEventListener("change", () => this.redraw());
  }

  /** starts: seconds of the bars; values: arrays of complete, running and (or null) rejected; tell(bar): its value in
      words. */
  draw(starts, { complete, running, rejected }, tell) {
    this.tell = tell;
    this.place.setAttribute("aria-valuemax", Math.max(starts.length - 1, 0));
    this.data = [starts, complete, running, ...(rejected ? [rejected] : [])];
    if (this.plot?.series.length === this.data.length && this.ofDays === this.isOfDays) this.plot.setData(this.data);
    else this.redraw();
    this.point(this.at);
  }

  /** bar: its number, null for none. */
  point(bar) {
    const last = (this.data?.[0].length ?? 0) - 1;
    const at = bar === null || last < 0 ? null : Math.min(Math.max(bar, 0), last);
    const isMoved = at !== this.at;
    this.at = at;
    const text = this.at === null ? "" : this.tell(this.at);
    setText(this.value, text);
    this.value.hidden = text === "";
    if (!isMoved && this.place === document.activeElement && Date.now() < this.quietUntil) return;
    this.quietUntil = Date.now() + QUIET_MS;
    this.place.setAttribute("aria-valuenow", this.at ?? Math.max(last, 0));
    this.place.setAttribute("aria-valuetext", text || "arrow keys tell each bar");
  }

  walk(event) {
    const last = (this.data?.[0].length ?? 0) - 1;
    const at = this.at ?? last + (event.key === "ArrowLeft" ? 1 : 0);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.point(to);
    if (this.at !== null) this.plot?.setCursor({ left: this.plot.valToPos(this.data[0][this.at], "x"), top: 0 }, false);
  }

  /** Whole bars, and none where not even one was drawn over. */
  select(plot) {
    const { left, width } = plot.select;
    const [starts] = this.data;
    const [from, to] = [left, left + width].map((place) => plot.posToVal(place, "x"));
    const within = starts.filter((start) => start >= from && start <= to);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (within.length && starts.length > 1) this.zoom(within[0], within.at(-1) + starts[1] - starts[0]);
  }

  /** Whether the axis tells days beside the times of day. */
  get isOfDays() {
    const [first, last] = [this.data[0].at(0) ?? 0, this.data[0].at(-1) ?? 0].map((seconds) => day(seconds * 1000, this.zone));
    return first !== last;
  }

  /** A window that is moved to another screen changes the letters too. */
  resize() {
    if (this.plot && this.letters === this.lettersNow) this.plot.setSize(this.size());
    else if (this.data) this.redraw();
  }

  get lettersNow() {
    return parseFloat(getComputedStyle(this.place).fontSize);
  }

  size() {
    return { width: Math.floor(this.place.clientWidth), height: Math.floor(this.place.clientHeight) };
  }

  redraw() {
    if (!this.data) return;
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const size = (this.letters = this.lettersNow);
    const font = `${Math.round(size * 0.85)}px ${style.fontFamily}`;
    this.ofDays = this.isOfDays;
    const axis = { stroke: colour("--muted"), font, ticks: { show: false } };
    const grid = { stroke: colour("--line"), width: 1 };
    const bars = uPlot.paths.bars({ size: [0.8, 60] });
    const series = (fill) => ({ paths: bars, fill: colour(fill), stroke: colour(fill), width: 0, points: { show: false } });
    this.plot = new uPlot(
      {
        ...this.size(),
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.zone),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 } },
        hooks: {
          setSelect: [(plot) => plot.select.width > 0 && this.select(plot)],
          setCursor: [(plot) => plot.cursor.idx !== null && plot.cursor.left >= 0 && this.point(plot.cursor.idx)],
        },
        scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 4)] } },
        axes: [
          { ...axis, grid: { show: false }, values: this.ofDays ? TIMES_OF_DAYS : "{HH}:{mm}", incrs: MINUTES, space: size * 4, size: size * (this.ofDays ? 3 : 2) },
          { ...axis, grid, size: size * 3.6, space: size * 1.2, incrs: WHOLE_STEPS },
        ],
        series: [{}, series("--bar"), series("--bar-running"), series("--rejected")].slice(0, this.data.length),
      },
      this.data,
      this.place,
    );
  }
}
