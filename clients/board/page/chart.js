// Clicks over time as bars, drawn by uPlot: complete ones, those still being counted, and rejected records.

import uPlot from "/charts/uPlot.esm.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

// 1, 2, 5, 10, 20, ... : clicks are whole, and a chart with none that fits would have no number but 0.
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

export class Chart {
  constructor(place, zone) {
    this.place = place;
    this.zone = zone;
    new ResizeObserver(() => this.resize()).observe(place);
    dark.addEventListener("change", () => this.redraw());
  }

  /** starts: seconds of the bars; values: arrays of complete, running and (or null) rejected. */
  draw(starts, { complete, running, rejected }) {
    this.data = [starts, complete, running, ...(rejected ? [rejected] : [])];
    if (this.plot && this.plot.series.length === this.data.length) this.plot.setData(this.data);
    else this.redraw();
  }

  resize() {
    if (this.plot) this.plot.setSize(this.size());
    else if (this.data) this.redraw();
  }

  size() {
    return { width: Math.floor(this.place.clientWidth), height: Math.floor(this.place.clientHeight) };
  }

  redraw() {
    if (!this.data) return;
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const size = parseFloat(getComputedStyle(this.place).fontSize);
    const font = `${Math.round(size * 0.85)}px ${style.fontFamily}`;
    const axis = { stroke: colour("--muted"), font, ticks: { show: false } };
    const grid = { stroke: colour("--line"), width: 1 };
    const bars = uPlot.paths.bars({ size: [0.8, 60] });
    const series = (fill) => ({ paths: bars, fill: colour(fill), stroke: colour(fill), width: 0, points: { show: false } });
    this.plot = new uPlot(
      {
        ...this.size(),
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.zone),
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 4)] } },
        axes: [
          { ...axis, grid: { show: false }, values: "{HH}:{mm}", size: size * 2 },
          { ...axis, grid, size: size * 3.6, space: size * 1.2, incrs: WHOLE_STEPS },
        ],
        series: [{}, series("--bar"), series("--bar-running"), series("--rejected")].slice(0, this.data.length),
      },
      this.data,
      this.place,
    );
  }
}
