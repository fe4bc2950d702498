// All clicks over time, and what its bars are: complete, still being counted, rejected.

import { drawBars } from "./bars.js";
import { element, heard, number, span } from "./text.js";

const REJECTS_ELSEWHERE =
  "Rejected clicks are in no count. CloudWatch counts them: IncomingRecords of the rejects delivery stream (Oregon), " +
  "Rejected of the forwarder (Tokyo).";
const key = (name, text) => element("span", { class: `key ${name}` }, text);
const elsewhere = (text) => element("span", { class: "elsewhere" }, text);

/** answer: the newest; rejected: by the start of a bar, null where they are not known; time: as drawBars takes it; told:
    whether this board knows the rejects of any time. */
export function drawClicks(chart, note, answer, { rejected, time, told }) {
  const { clicks } = answer.series[0];
  const bars = drawBars(chart, answer, clicks, rejected, time);
  const { not_known: notKnown } = answer.freshness;
  const none = notKnown ? "Which minutes are complete is not known" : "Nothing is complete yet";
  const text = bars.last === null ? none : `${number(clicks[bars.last])} at ${bars.time(bars.last)}, the last complete ${span(answer.step_seconds)}`;
  const lost = rejected && bars.last !== null ? rejected.get(answer.starts[bars.last]) ?? 0 : null;
  note.replaceChildren(
    key("complete", text),
    heard("; "),
    key("running", notKnown ? "not known whether complete" : "still counting"),
    ...(lost === null ? [] : [heard("; "), key("rejected", `${number(lost)} rejected`)]),
    ...(notKnown ? [heard("; "), elsewhere(`${notKnown}.`)] : []),
    ...(told ? [] : [heard("; "), elsewhere(REJECTS_ELSEWHERE)]),
  );
}
