// The time that is shown, in words.

import { lastSeconds, rangeText } from "./range.js";
import { moment, span } from "./text.js";

/** Of an answer, in milliseconds. */
export const minutesOf = ({ minutes }) => ({ since: Date.parse(minutes.since), until: Date.parse(minutes.until) });

/** now(): milliseconds by the board. */
export function timeTexts({ choice, settings, zone, now }) {
  /** The time of the series, and of what is compared. */
  function longText() {
    if (!choice.fixed) return `last ${span(Math.max(lastSeconds(choice.range, settings), settings.before_seconds))}`;
    const { since, until } = choice.range;
    return rangeText(Date.parse(since), Date.parse(until), zone, now());
  }

  /** Which time it was, and what of it is complete. */
  function pastText(map) {
    const { since, until } = minutesOf(map);
    const { complete_until: complete, not_known: notKnown } = map.freshness;
    const told = notKnown ? "which minutes are complete is not known" : "nothing is complete";
    const part = complete && Date.parse(complete) > since ? `complete until ${moment(complete, zone, now())}` : told;
    const whole = complete && Date.parse(complete) >= until && Date.parse(choice.range.until) <= until;
    return `${longText()} ${zone}; ${whole ? "complete" : part}`;
  }

  /** The time that an answer is about, as people read it. */
  function shownText(answer) {
    const { since, until } = minutesOf(answer);
    const { complete_until: complete, not_known: notKnown } = answer.freshness;
    const counting = notKnown ? "what is complete is not known" : "still counting";
    const whole = complete && Date.parse(complete) >= until;
    return `${rangeText(since, until, zone, now())} ${zone}, ${whole ? "complete" : counting}`;
  }

  /** Of the time shown: its zone, its end where it does not move on, and the time of now. */
  const drawnTime = () => ({ zone, fixed: choice.fixed ? Date.parse(choice.range.until) : null, now: now() });

  return { longText, pastText, shownText, drawnTime };
}
