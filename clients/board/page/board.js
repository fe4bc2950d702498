// The page: one stream of events in, one picture out.
// 1. read the settings and what the viewer chose  2. listen  3. draw each answer when it comes  4. every second,
// draw what ages

import { Chart } from "./chart.js";
import { Choice } from "./choice.js";
import { compared, drawDifferences, risen } from "./differences.js";
import { HeatMap, mostShare, segmentKey } from "./heat_map.js";
import { drawAccount, drawStages, liveness } from "./status.js";
import { clock, columnName, element, knownZone, number, span } from "./text.js";

const AGAIN_AFTER_MS = 3000;
const DEAD_AFTER_MS = 10_000; // a stream that brings nothing for so long: the board sends something each second
const MIN_BARS_DRAWN = 10;
const REJECTS_ELSEWHERE =
  "Rejected clicks are in no count. CloudWatch counts them: IncomingRecords of the rejects delivery stream (Oregon), " +
  "Rejected of the forwarder (Tokyo).";
const at = (id) => document.getElementById(id);

const settings = await (await fetch("/settings")).json();
const zone = knownZone(settings.time_zone);
const choice = new Choice(settings.columns, location.search);
const shown = {}; // the newest message of each kind
// at: when the last event came; ahead: how far the board's clock is ahead of ours; lost: the stream broke off;
// refused: why the board sends no stream
const heard = { at: null, ahead: 0, lost: false, refused: null };
const boardNow = () => Date.now() + heard.ahead;

const heatMap = new HeatMap(at("heat-map"), { cell: chooseCell, segment: chooseSegment });
const clicksChart = new Chart(at("clicks"), zone);
const seriesChart = new Chart(at("series"), zone);

// ---- what the viewer chooses

function chooseCell(article, segment) {
  choice.article = article.id;
  choice.cell = segment.segment;
  delete shown.series;
  at("series-note").textContent = "Reading …";
  listen();
}

function chooseSegment(segment) {
  choice.compared = segment.segment;
  delete shown.compare;
  listen();
}

function drawChoices() {
  for (const column of settings.columns) {
    const radio = element("input", { type: "radio", name: "by", value: column });
    radio.checked = column === choice.by;
    radio.addEventListener("change", () => {
      choice.by = column;
      at("heat-scroll").setAttribute("aria-busy", "true");
      listen();
    });
    at("by").append(element("label", {}, radio, element("span", {}, columnName(column))));
    const select = element("select", { name: column, "aria-label": columnName(column) });
    select.addEventListener("change", () => {
      const { [column]: _, ...others } = choice.compared;
      chooseSegment({ segment: select.value === "" ? others : { ...others, [column]: select.value.slice(1) } });
    });
    at("compare-choice").append(select);
    fillSelect(select, []);
  }
}

function fillSelect(select, values) {
  const chosen = choice.compared[select.name];
  const offered = chosen === undefined || values.includes(chosen) ? values : [chosen, ...values];
  const options = [["", `any ${columnName(select.name)}`], ...offered.map((value) => [`=${value}`, value])];
  const now = JSON.stringify(options);
  if (select.dataset.options !== now) {
    select.dataset.options = now;
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = chosen === undefined ? "" : `=${chosen}`;
}

// ---- the stream of events

let source = null;
let listenedAt = 0;

function listen() {
  source?.close();
  source = null;
  history.replaceState(null, "", `?${choice.query()}`);
  redrawChosen();
  if (document.hidden) return; // nobody looks: nothing is asked
  const opened = new EventSource(`/events?${choice.query()}`);
  source = opened;
  listenedAt = Date.now();
  for (const kind of ["heat_map", "series", "clicks", "rising", "compare", "segments", "status"]) {
    source.addEventListener(kind, (event) => {
      if (opened !== source) return;
      shown[kind] = JSON.parse(event.data);
      Object.assign(heard, { at: Date.now(), lost: false, refused: null });
      if (kind === "heat_map") at("heat-scroll").removeAttribute("aria-busy");
      draw[kind]();
    });
  }
  source.addEventListener("error", () => {
    if (opened !== source) return;
    heard.lost = true;
    // The browser connects again by itself, unless the board refused.
    if (opened.readyState === EventSource.CLOSED) askWhyRefused(opened);
    tick();
  });
}

async function askWhyRefused(opened) {
  try {
    const answer = await fetch(`/events?${choice.query()}`);
    if (answer.ok) await answer.body.cancel();
    else if (opened === source) heard.refused = await answer.text();
  } catch {
    // It does not answer at all, which the silence tells.
  }
  if (opened !== source) return;
  tick();
  setTimeout(() => opened === source && listen(), AGAIN_AFTER_MS);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) Object.assign(heard, { at: null, lost: false });
  listen();
});

function redrawChosen() {
  if (shown.heat_map) draw.heat_map();
  draw.compare();
  for (const select of at("compare-choice").children) fillSelect(select, shown.segments?.values[select.name] ?? []);
}

// ---- the pictures

const draw = {
  heat_map() {
    const map = shown.heat_map;
    const empty = map.articles.length === 0;
    const last = span(settings.last_seconds);
    at("heat-note").textContent =
      `Last ${last}, until ${clock(map.freshness.asked_at, zone)} ${zone}` +
      (map.cut ? `; the ${map.articles.length} most clicked articles` : "");
    at("heat-empty").hidden = !empty;
    at("heat-empty").textContent =
      `No clicks were counted in the last ${last}. The first counts are here within a minute of the first click; ` +
      "if clicks are being sent, look at the application and the delivery stream.";
    at("heat-map").hidden = at("heat-legend").hidden = empty;
    heatMap.draw(map, {
      cell: `${choice.article}\u0000${segmentKey(choice.cell)}`,
      compared: segmentKey(choice.compared),
    });
    at("heat-most").textContent = `up to ${(100 * mostShare(map)).toFixed(1)} %`;
    if (!empty) chooseForNewcomer(map);
    tick();
  },
  rising() {
    const { articles, found, compared: looked } = shown.rising;
    drawDifferences(at("rising"), articles.map(risen));
    const before = span(settings.before_seconds);
    at("rising-note").textContent =
      `Share of the clicks in the last ${span(settings.last_seconds)} against the ${before} before` +
      (found > articles.length ? `; ${articles.length} of ${found}` : "");
    at("rising-empty").hidden = articles.length > 0;
    at("rising-empty").textContent = looked
      ? `Nothing rises significantly: ${number(looked)} articles were looked at.`
      : "Too few clicks yet to tell what rises.";
  },
  compare() {
    const answer = choice.comparing ? shown.compare : undefined;
    const items = answer ? [...answer.more.map((a) => compared(a, false)), ...answer.less.map((a) => compared(a, true))] : [];
    drawDifferences(at("compare"), items);
    at("compare-note").replaceChildren(
      ...(answer
        ? [
            element("bdi", {}, answer.segment_label),
            `, last ${span(settings.before_seconds)}`,
            answer.found > items.length ? `; ${items.length} of ${answer.found}` : "",
          ]
        : []),
    );
    at("compare-empty").hidden = items.length > 0;
    if (!choice.comparing) at("compare-empty").textContent = "Choose a segment: here, or the head of a column.";
    else if (!answer) at("compare-empty").textContent = "Reading …";
    else at("compare-empty").textContent = `No significant difference: ${number(answer.compared)} articles were looked at.`;
  },
  segments() {
    for (const select of at("compare-choice").children) fillSelect(select, shown.segments.values[select.name] ?? []);
  },
  clicks() {
    if (!shown.clicks) return;
    const { clicks } = shown.clicks.series[0];
    const account = shown.status?.account;
    const rejected = account ? new Map(account.rejected_over_time) : null;
    const bars = drawBars(clicksChart, shown.clicks, clicks, rejected);
    const { not_known: notKnown } = shown.clicks.freshness;
    const none = notKnown ? "Which minutes are complete is not known" : "Nothing is complete yet";
    const text = bars.last === null ? none : `${number(clicks[bars.last])} at ${bars.time(bars.last)}, the last complete ${span(settings.grain_seconds)}`;
    const lost = rejected && bars.last !== null ? rejected.get(shown.clicks.starts[bars.last]) ?? 0 : null;
    at("clicks-note").replaceChildren(
      key("complete", text),
      key("running", "still counting"),
      ...(lost === null ? [] : [key("rejected", `${number(lost)} rejected`)]),
      ...(notKnown ? [element("span", { class: "elsewhere" }, `${notKnown}.`)] : []),
      ...(settings.account ? [] : [element("span", { class: "elsewhere" }, REJECTS_ELSEWHERE)]),
    );
  },
  series() {
    const [series] = shown.series.series;
    const bars = drawBars(seriesChart, shown.series, series.clicks, null);
    at("series-title").replaceChildren(element("bdi", { class: "label", title: series.label }, series.label));
    const sum = series.clicks.reduce((total, clicks) => total + clicks, 0);
    const most = series.clicks.indexOf(Math.max(...series.clicks));
    at("series-note").replaceChildren(
      element("bdi", {}, series.segment_label),
      `: ${number(sum)} clicks in the last ${span(settings.before_seconds)}`,
      sum ? `, most ${number(series.clicks[most])} at ${bars.time(most)}` : "",
    );
  },
  status() {
    heard.ahead = Date.parse(shown.status.now) - Date.now();
    const { account } = shown.status;
    at("account").hidden = account === null;
    document.body.dataset.account = account === null ? "none" : "told";
    if (account) {
      drawAccount(at("account-numbers"), account, boardNow());
      draw.clicks();
    }
    tick();
  },
};

const key = (name, text) => element("span", { class: `key ${name}` }, text);

/** Returns the index of the last complete bar, or null, and a function that tells a bar's time. */
function drawBars(chart, { starts, freshness }, clicks, rejected) {
  const complete = freshness.complete_until ? Date.parse(freshness.complete_until) : 0;
  const isComplete = starts.map((start) => Date.parse(start) + settings.grain_seconds * 1000 <= complete);
  // The silence before the first click is left out, but for ten bars.
  const first = clicks.findIndex((value) => value > 0);
  const from = Math.max(Math.min(first < 0 ? starts.length : first, starts.length - MIN_BARS_DRAWN), 0);
  chart.draw(
    starts.slice(from).map((start) => Date.parse(start) / 1000),
    {
      complete: clicks.map((value, index) => (isComplete[index] ? value : null)).slice(from),
      running: clicks.map((value, index) => (isComplete[index] ? null : value)).slice(from),
      rejected: rejected && starts.map((start) => rejected.get(start) ?? null).slice(from),
    },
  );
  const last = isComplete.lastIndexOf(true);
  return { last: last < 0 ? null : last, time: (index) => clock(starts[index], zone, settings.grain_seconds < 60) };
}

/** A page opened without a choice shows the most clicked cell and compares its segment. */
function chooseForNewcomer(map) {
  if (choice.article !== null && choice.comparing) return;
  const column = map.cells[0].indexOf(Math.max(...map.cells[0]));
  if (choice.article === null) {
    choice.article = map.articles[0].id;
    choice.cell = map.segments[column].segment;
  }
  if (!choice.comparing) choice.compared = map.segments[column].segment;
  queueMicrotask(listen);
}

// ---- what ages

function drawProblem(line, problem) {
  line.hidden = !problem;
  setText(line, problem ?? "");
}

function tick() {
  const told = { freshness: shown.heat_map?.freshness, status: shown.status, now: boardNow(), zone };
  drawStages(at("stages"), { ...told, served: settings.served, grain: settings.grain_seconds });
  drawProblem(at("served-problem"), shown.status?.served?.problem);
  drawProblem(at("segments-problem"), shown.status?.segments_problem);
  const live = liveness({
    ...told,
    heardAt: heard.at === null ? null : heard.at + heard.ahead,
    lost: heard.lost,
    refused: heard.refused,
  });
  at("state").textContent = live.text;
  at("state").dataset.state = live.state;
  drawProblem(at("problem"), live.problem);
  // A connection can die without a word: a laptop that was closed, a port forward that is gone.
  if (source && Date.now() - Math.max(heard.at ?? 0, listenedAt) > DEAD_AFTER_MS) listen();
}

/** A screen reader says an alert again when it is set again. */
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

drawChoices();
listen();
setInterval(tick, 1000);
