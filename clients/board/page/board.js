// The page: one stream of events in, one picture out.
// 1. read the settings and what the viewer chose  2. listen  3. draw each answer when it comes  4. every second,
// draw what ages

import { About } from "./about.js";
import { drawBars } from "./bars.js";
import { Chart } from "./chart.js";
import { Choice } from "./choice.js";
import { drawClicks } from "./clicks.js";
import { compared, drawDifferences, risen } from "./differences.js";
import { fill, SegmentChooser } from "./choosers.js";
import { Alarms, Refused } from "./environment.js";
import { Find } from "./find.js";
import { HeatMap, mostShare, segmentKey, sorted } from "./heat_map.js";
import { Openers } from "./openers.js";
import { drawAges, markBusy, markRead, oldAfter } from "./panels.js";
import { lastSeconds, RangeBar } from "./range.js";
import { Side } from "./side.js";
import { Said } from "./said.js";
import { drawAccount, drawLiveness, drawProblem, drawStages, liveness } from "./status.js";
import { clock, columnName, element, knownZone, number, span } from "./text.js";
import { minutesOf, timeTexts } from "./time_texts.js";
import { Tops } from "./tops.js";

const PANEL_OF = { about: "about", find: "found", tops: "tops", beside: "side" };
const AGAIN_AFTER_MS = 3000;
const DEAD_AFTER_MS = 10_000; // a stream that brings nothing for so long: the board sends something each second
const OF_RANGE = ["heat_map", "series", "clicks", "rising", "compare", "segments", "about", "found", "tops", "side"];
const at = (id) => document.getElementById(id);

const settings = await (await fetch("/settings")).json();
const zone = knownZone(settings.time_zone);
const choice = new Choice(settings.columns, location.search);
const shown = {}; // the newest message of each kind
let newest; // freshness
// at: when the last event came; ahead: how far the board's clock is ahead of ours; lost: the stream broke off;
// refused: why the board sends no stream; since: when the page began to listen
const heard = { at: null, ahead: 0, lost: false, refused: null, since: Date.now() };
const boardNow = () => Date.now() + heard.ahead;

const { longText, pastText, shownText, drawnTime } = timeTexts({ choice, settings, zone, now: boardNow });
const heatMap = new HeatMap(at("heat-map"), { cell: chooseCell, segment: chooseSegment, article: open }, at("heat-value"));
const clicksChart = new Chart(at("clicks"), zone, zoom);
const seriesChart = new Chart(at("series"), zone, zoom);

const rangeBar = new RangeBar({
  settings,
  zone,
  now: boardNow,
  shown: () => shown.heat_map && minutesOf(shown.heat_map),
  choose: chooseRange,
});
const said = new Said(at("said"));
const openers = new Openers(() => at("heat-map").querySelector('[tabindex="0"]'));
const about = new About({ zone, template: settings.article_link, place: at("about"), zoom });
const side = new Side({ place: at("side"), open });
const [alarms, refused] = [new Alarms({ place: at("alarms"), zone }), new Refused({ place: at("refused"), zone })];
const tops = new Tops({ place: at("tops"), open, timeText: () => at("tops-note").textContent });
const find = new Find({ form: at("find"), results: at("found"), choose: (text) => show("find", text), open });

// ---- what the viewer chooses

/** An article, anywhere on the page, is told all about. */
function open(id) {
  show("about", id);
}

/** name: of PANEL_OF; value: null for nothing. */
function show(name, value) {
  const panel = at(PANEL_OF[name]);
  openers.remember(panel);
  choice[name] = value;
  forget(PANEL_OF[name]);
  if (value !== null) said.ask(PANEL_OF[name]);
  if (name === "tops") at("tops-note").textContent = "Reading …";
  chosen();
  // It may be far below. Not beside lists, which are walked through by keyboard.
  if (value !== null && name !== "beside" && !panel.contains(document.activeElement)) panel.querySelector("h2").focus();
}

for (const button of document.querySelectorAll("[data-close]")) {
  const { close } = button.dataset;
  button.addEventListener("click", () => {
    show(close, close === "beside" ? {} : null);
    openers.back(at(PANEL_OF[close]));
  });
}

function chooseCell(article, segment) {
  choice.article = article.id;
  choice.cell = segment.segment;
  said.ask("series");
  forget("series");
  at("series-note").textContent = "Reading …";
  chosen();
}

function chooseSegment(segment) {
  choice.compared = segment.segment;
  said.ask("compare");
  forget("compare", "side");
  chosen();
}

function chooseRange(range) {
  choice.range = range;
  said.ask("heat_map");
  forget(...OF_RANGE);
  chosen();
}

/** What was drawn over in a chart; seconds. */
function zoom(since, until) {
  const [from, to] = [since, until].map((seconds) => new Date(seconds * 1000).toISOString());
  chooseRange({ since: from, until: to });
}

/** Nothing that was shown of these answers what is chosen now. */
function forget(...kinds) {
  for (const kind of kinds) delete shown[kind];
  markBusy(kinds.filter((kind) => (kind !== "compare" || choice.comparing) && (kind !== "series" || choice.article !== null)));
}

/** A choice of the viewer can be taken back with the browser's button. */
function chosen() {
  history.pushState(null, "", `?${choice.address()}`);
  listen();
}

at("to-side").addEventListener("click", () => at("side-title").focus());
at("open-tops").addEventListener("click", () => show("tops", "1"));
at("tops-all").addEventListener("change", () => show("tops", at("tops-all").checked ? "all" : "1"));
at("sort").addEventListener("change", () => {
  choice.sort = at("sort").value || null;
  chosen();
});
for (const id of ["open-tops", "sort", "to-side"]) at(id).disabled = false;

addEventListener("popstate", () => {
  choice.read(location.search);
  forget(...OF_RANGE);
  for (const radio of at("by").querySelectorAll("input")) radio.checked = radio.value === choice.by;
  listen();
});

function drawChoices() {
  for (const column of settings.columns) {
    const radio = element("input", { type: "radio", name: "by", value: column });
    radio.checked = column === choice.by;
    radio.addEventListener("change", () => {
      choice.by = column;
      said.ask("heat_map");
      markBusy(["heat_map"]);
      forget("about", "tops");
      chosen();
    });
    at("by").append(element("label", {}, radio, element("span", {}, columnName(column))));
  }
}

const choosers = [
  new SegmentChooser(at("compare-choice"), settings.columns, {
    chosen: () => choice.compared,
    choose: (segment) => chooseSegment({ segment }),
    name: "",
  }),
  new SegmentChooser(at("beside-choice"), settings.columns, {
    chosen: () => choice.beside,
    choose: (segment) => show("beside", segment),
    name: "beside: ",
  }),
];

// ---- the stream of events

let source = null;
let listenedAt = 0;

function listen() {
  source?.close();
  source = null;
  history.replaceState(null, "", `?${choice.address()}`);
  redrawChosen();
  if (document.hidden) return; // nobody looks: nothing is asked
  const opened = new EventSource(`/events?${choice.query()}`);
  source = opened;
  listenedAt = Date.now();
  for (const kind of [...OF_RANGE, "freshness", "status", "parts", "alarms", "refused"]) {
    source.addEventListener(kind, (event) => {
      if (opened !== source) return;
      shown[kind] = JSON.parse(event.data);
      Object.assign(heard, { at: Date.now(), lost: false, refused: null });
      if (kind === (choice.fixed ? "freshness" : "heat_map")) newest = shown[kind].freshness;
      markRead(kind);
      draw[kind]?.();
      said.answer(kind);
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
  if (!document.hidden) Object.assign(heard, { at: null, lost: false, since: Date.now() });
  listen();
});

function redrawChosen() {
  rangeBar.draw(choice.range);
  find.draw(choice.find, shown.found);
  at("about").hidden = choice.about === null;
  at("tops").hidden = choice.tops === null;
  at("tops-all").checked = choice.tops === "all";
  delete shown.parts; // the board tells anew
  tops.drawParts(null);
  at("side").hidden = at("to-side").hidden = !choice.besides;
  at("question").textContent = choice.fixed
    ? "Which articles did each kind of reader click then?"
    : "Which articles is each kind of reader clicking, right now?";
  if (shown.heat_map) draw.heat_map();
  for (const kind of ["about", "tops", "side"]) if (shown[kind]) draw[kind]();
  draw.compare();
  draw.segments();
}

// ---- the pictures

const draw = {
  heat_map() {
    const labels = shown.heat_map.segments.map((segment) => segment.segment_label);
    const sort = labels.includes(choice.sort) ? choice.sort : "";
    fill(at("sort"), [["", "all readers"], ...labels.map((text) => [text, text])], sort);
    const map = sorted(shown.heat_map, sort);
    const empty = map.articles.length === 0;
    const last = span(lastSeconds(choice.range, settings));
    at("heat-note").textContent =
      (choice.fixed ? pastText(map) : `Last ${last}, until ${clock(map.freshness.asked_at, zone)} ${zone}`) +
      (map.cut ? `; the ${map.articles.length} most clicked articles` : "");
    at("heat-empty").hidden = !empty;
    at("heat-empty").textContent = choice.fixed ? "No clicks were counted in this time." :
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
    drawDifferences(at("rising"), articles.map((article) => risen(article, choice.fixed ? "then" : "now")), open);
    const { recent, minutes } = shown.rising;
    const before = span((Date.parse(recent.since) - Date.parse(minutes.since)) / 1000);
    const last = choice.fixed ? "this time" : `the last ${span(lastSeconds(choice.range, settings))}`;
    at("rising-note").textContent =
      `Share of the clicks in ${last} against the ${before} before` +
      (found > articles.length ? `; ${articles.length} of ${found}` : "");
    at("rising-empty").hidden = articles.length > 0;
    at("rising-empty").textContent = looked
      ? `Nothing rises significantly: ${number(looked)} articles were looked at.`
      : "Too few clicks yet to tell what rises.";
  },
  compare() {
    const answer = choice.comparing ? shown.compare : undefined;
    const items = answer ? [...answer.more.map((a) => compared(a, false)), ...answer.less.map((a) => compared(a, true))] : [];
    drawDifferences(at("compare"), items, open);
    at("compare-note").replaceChildren(
      ...(answer
        ? [
            element("bdi", {}, answer.segment_label),
            `, ${longText()}`,
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
    for (const chooser of choosers) chooser.draw(shown.segments?.values ?? {});
  },
  clicks() {
    if (!shown.clicks) return;
    const account = shown.status?.account;
    const byMinute = shown.clicks.step_seconds === settings.grain_seconds && !choice.fixed;
    const rejected = account && byMinute ? new Map(account.rejected_over_time) : null;
    drawClicks(clicksChart, at("clicks-note"), shown.clicks, { rejected, time: drawnTime(), told: settings.account });
  },
  series() {
    const [series] = shown.series.series;
    const bars = drawBars(seriesChart, shown.series, series.clicks, null, drawnTime());
    at("series-title").replaceChildren(element("bdi", { class: "label", title: series.label }, series.label));
    const sum = series.clicks.reduce((total, clicks) => total + clicks, 0);
    const most = series.clicks.indexOf(Math.max(...series.clicks));
    at("series-note").replaceChildren(
      element("bdi", {}, series.segment_label),
      `: ${number(sum)} clicks, ${longText()}`,
      sum ? `, most ${number(series.clicks[most])} at ${bars.time(most)}` : "",
    );
  },
  about() {
    about.draw(shown.about, {
      ranked: settings.ranked,
      timeText: longText(),
      bars: (chart, answer, clicks) => drawBars(chart, answer, clicks, null, drawnTime()),
      now: boardNow(),
    });
  },
  found() {
    find.draw(choice.find, shown.found);
  },
  tops() {
    at("tops-note").textContent = shownText(shown.tops);
    tops.draw(shown.tops);
  },
  alarms: () => alarms.draw(shown.alarms, boardNow()),
  refused: () => refused.draw(shown.refused, boardNow()),
  parts: () => tops.drawParts(shown.parts),
  side() {
    at("side-note").textContent = shownText(shown.side);
    side.draw(shown.side, settings.ranked);
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

function tick() {
  const told = { freshness: newest, status: shown.status, now: boardNow(), zone };
  drawStages(at("stages"), { ...told, served: settings.served, grain: settings.grain_seconds });
  drawProblem(at("served-problem"), shown.status?.served?.problem);
  drawProblem(at("segments-problem"), shown.status?.segments_problem);
  const live = liveness({
    ...told,
    heardAt: heard.at === null ? null : heard.at + heard.ahead,
    lost: heard.lost,
    refused: heard.refused,
    waited: (Date.now() - heard.since) / 1000,
    freshness: shown.heat_map?.freshness,
    oldAfter: oldAfter(shown.heat_map),
    past: choice.fixed ? `${longText()}${Date.parse(choice.range.until) > boardNow() ? ", not over" : ""}` : null,
  });
  drawAges(shown, boardNow());
  rangeBar.tick();
  drawLiveness(at("state"), at("problem"), live);
  said.state(live);
  // A connection can die without a word: a laptop that was closed, a port forward that is gone.
  if (source && Date.now() - Math.max(heard.at ?? 0, listenedAt) > DEAD_AFTER_MS) listen();
}

drawChoices();
listen();
setInterval(tick, 1000);
