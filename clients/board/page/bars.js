// The bars of a series: which are complete, and what is told when one is pointed at.

import { moment, number } from "./text.js";

const MIN_BARS_DRAWN = 10;

/** fixed: the end of the time shown (milliseconds), null where it moves on; now: milliseconds. Returns the index of the last complete
    bar, or null, and a function that tells a bar's time. */
export function drawBars(chart, { starts, freshness, minutes, step_seconds: step }, clicks, rejected, { zone, fixed, now }) {
  const complete = freshness.complete_until ? Date.parse(freshness.complete_until) : 0;
  const end = fixed === null ? Infinity : Math.max(fixed, Date.parse(minutes.until));
  const isComplete = starts.map((start) => Math.min(Date.parse(start) + step * 1000, end) <= complete);
  // The silence before the first click is left out, but for ten bars; not of a time with a beginning.
  const first = fixed === null ? clicks.findIndex((value) => value > 0) : 0;
  const from = Math.max(Math.min(first < 0 ? starts.length : first, starts.length - MIN_BARS_DRAWN), 0);
  const time = (index) => moment(starts[index], zone, now, step < 60);
  const counting = freshness.not_known ? "not known whether complete" : "still counting";
  chart.draw(
    starts.slice(from).map((start) => Date.parse(start) / 1000),
    {
      complete: clicks.map((value, index) => (isComplete[index] ? value : null)).slice(from),
      running: clicks.map((value, index) => (isComplete[index] ? null : value)).slice(from),
      rejected: rejected && starts.map((start) => rejected.get(start) ?? null).slice(from),
    },
    (bar) => {
      const index = from + bar;
      const lost = rejected?.get(starts[index]);
      return (
        `${time(index)}: ${number(clicks[index])} clicks, ${isComplete[index] ? "complete" : counting}` +
        (lost ? `; ${number(lost)} rejected` : "")
      );
    },
  );
  const last = isComplete.lastIndexOf(true);
  return { last: last < 0 ? null : last, time };
}
