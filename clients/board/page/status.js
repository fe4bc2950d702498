// How fresh each stage is, where every click went, and whether the picture is live. Everything that ages is
// drawn anew every second by the clock of the board, not of this machine.

import { age, clock, day, element, moment, number, setText } from "./text.js";

const OLD_COUNT_SECONDS = 30;
const OLD_PICTURE_SECONDS = 15;
const OLD_ACCOUNT_SECONDS = 5;
const SILENCE_SECONDS = 5;
const CONNECTING_SECONDS = 10;
const LOST_SECONDS = 2; // of a stream that broke off: the browser connects again after a second

const seconds = (now, time) => (now - Date.parse(time)) / 1000;

/** freshness: of the newest answer, or undefined; status: the newest, or undefined; now: milliseconds;
    grain: seconds that a count spans. */
export function drawStages(list, { freshness, status, now, zone, served, grain }) {
  const stages = [clickStage(freshness, zone, now, grain), countStage(freshness, now), readStage(freshness, now)];
  if (served) stages.push(servedStage(status, now));
  list.replaceChildren(
    ...stages.map(({ name, value, note, old }) =>
      element(
        "li",
        { "data-stage": name, "data-old": old },
        element("span", { class: "name" }, name),
        element("strong", {}, value),
        element("span", { class: "detail" }, note, old ? element("em", {}, " ⚠ old") : ""),
      ),
    ),
  );
}

function clickStage(freshness, zone, now, grain) {
  const minute = freshness?.newest_minute;
  if (!minute) return { name: "click", value: "none yet", note: "newest counted clicks", old: false };
  const complete = freshness.complete_until;
  const none = freshness.not_known ? "complete minutes not known" : "nothing complete yet";
  const today = day(minute, zone) === day(now, zone);
  const note = (today ? "" : `${day(minute, zone)}; `) + (complete ? `complete until ${moment(complete, zone, now)}` : none);
  const old = seconds(now, minute) - grain > 2 * OLD_COUNT_SECONDS;
  return { name: "click", value: clock(minute, zone), note, old };
}

function countStage(freshness, now) {
  const published = freshness?.newest_published_at;
  if (!published) return { name: "count", value: "none yet", note: "newest count published", old: false };
  const old = seconds(now, published);
  return { name: "count", value: age(old), note: "since the newest count", old: old > OLD_COUNT_SECONDS };
}

function readStage(freshness, now) {
  if (!freshness) return { name: "read", value: "not yet", note: "from OpenSearch", old: false };
  const old = seconds(now, freshness.asked_at);
  return { name: "read", value: age(old), note: "since OpenSearch was read", old: old > OLD_PICTURE_SECONDS };
}

/** The age is that of the newest counts in the ranking. A ranking that does not change is written anew only now
    and then, so the item itself says until when it is fresh. */
function servedStage(status, now) {
  const { counted_until: at, fresh_until: fresh, problem } = status?.served ?? {};
  const note = problem ? "the table cannot be read" : "the service’s newest counts";
  if (!at) return { name: "served", value: problem ? "not known" : "none yet", note, old: Boolean(problem) };
  return { name: "served", value: age(seconds(now, at)), note, old: Boolean(problem) || now > Date.parse(fresh) };
}

/** now: milliseconds. The account is of one moment: while a part of it cannot be read, it says how old it is. */
export function drawAccount(list, account, now) {
  const old = seconds(now, account.told_at);
  const sum = [
    ["sent", account.sent, "="],
    ["counted", account.counted, "+"],
    ["rejected", account.rejected, "+"],
    ["unparseable", account.unparseable, "+"],
    [account.on_their_way < 0 ? "counted twice" : "on the way", Math.abs(account.on_their_way), ""],
  ];
  list.replaceChildren(
    ...(old > OLD_ACCOUNT_SECONDS ? [element("div", { "data-part": "age" }, element("dt", {}, "⚠ not known since"), element("dd", {}, age(old)))] : []),
    ...sum.map(([name, value, sign]) =>
      element(
        "div",
        { "data-part": name },
        element("dt", {}, name),
        element("dd", {}, number(value), sign ? element("span", { class: "sign" }, sign) : ""),
      ),
    ),
  );
}

/** What is wrong and how old the picture is; heardAt: milliseconds of the last event; lost: the stream broke off;
 *  refused: why the board sends no stream; waited: seconds that the page has listened without an event; oldAfter: seconds; past: the time shown, where it does not move on.
 *  problem: an alert, told again whenever it changes, so the age is in `shown`. */
export function liveness({ freshness, status, now, heardAt, lost, refused, waited = 0, oldAfter = OLD_PICTURE_SECONDS, past }) {
  const pictureSeconds = freshness ? seconds(now, freshness.asked_at) : null;
  const pictureAge = freshness ? age(pictureSeconds) : null;
  const shown = pictureAge ? `The last picture is ${pictureAge} old.` : "There is no picture yet.";
  const fine = (state, text) => ({ state, text, problem: null, shown: null });
  const away = (problem) => ({ state: "away", text: pictureAge ? `${pictureAge} old` : "away", problem, shown });
  if (refused) return away(`The board refuses this page: ${refused}.`);
  if (!heardAt && !lost && waited < CONNECTING_SECONDS) return fine("waiting", "Connecting …");
  if (!heardAt || now - heardAt > (lost ? LOST_SECONDS : SILENCE_SECONDS) * 1000) {
    return away(
      "The board does not answer. Check that it still runs (click-trends board), " +
        "and the port forward to it." + (heardAt ? "" : " A browser connects six of its windows to it: close others."),
    );
  }
  if (status?.problem) return away(status.problem);
  if (!freshness) return fine("waiting", "waiting for the first answer");
  if (pictureSeconds > oldAfter) return away("OpenSearch does not answer.");
  return past ? fine("past", past) : fine("live", "live");
}

/** state, line: where `live` is told in a word, and what is wrong. */
export function drawLiveness(state, line, live) {
  setText(state, live.text);
  state.dataset.state = live.state;
  line.hidden = !live.problem;
  const [problem, shown] = line.children;
  setText(problem, live.problem ?? "");
  setText(shown, live.shown ?? "");
}

export function drawProblem(line, problem) {
  line.hidden = !problem;
  setText(line, problem ?? "");
}
