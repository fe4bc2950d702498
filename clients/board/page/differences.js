// What rises, and what a segment reads more or less than everyone else: how many times, with its interval.

import { articleButton, element, heard, number, times } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 12;

/** items: {id, label, times, low, high, headline, detail, less}; open(id): called with the article that is pressed.
    Nothing is drawn anew that is the same: a screen reader would tell it again. */
export function drawDifferences(list, items, open) {
  const shown = JSON.stringify(items);
  if (list.shown === shown) return;
  list.shown = shown;
  const low = Math.min(1, ...items.map((item) => item.low));
  const high = Math.max(1, ...items.map((item) => item.high));
  const scale = (value) => (WIDTH * Math.log(value / low)) / (Math.log(high / low) || 1);
  const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
  list.replaceChildren(
    ...items.map((item) =>
      element(
        "li",
        { class: item.less ? "less" : "more" },
        articleButton(item, open),
        element("span", { class: "times" }, element("span", { "aria-hidden": "true" }, item.less ? "▼ " : "▲ "), item.headline, heard(", ")),
        interval(item, scale),
        element("span", { class: "detail" }, item.detail),
      ),
    ),
  );
  list.children[focused]?.querySelector("button").focus();
}

/** when: now or then. Without a click before, how many times is a guess: only the lower end is told. */
export const risen = (article, when) => ({
  ...article,
  headline: article.before ? `×${times(article.times)}` : "new",
  detail:
    `${number(article.clicks)} ${when}, ${number(article.before)} before; ` +
    (article.before ? `×${times(article.low)} to ×${times(article.high)}` : `×${times(article.low)} or more`),
});

/** Without a click here, how many times is a guess: only the upper end is told. */
export const compared = (article, less) => ({
  ...article,
  less,
  headline: article.clicks ? `×${times(article.times)}` : "none",
  detail:
    `${number(article.clicks)} here, ${number(article.others)} elsewhere; ` +
    (article.clicks ? `×${times(article.low)} to ×${times(article.high)}` : `×${times(article.high)} or less`),
});

function interval(item, scale) {
  const picture = shape("svg", { viewBox: `-4 0 ${WIDTH + 8} ${HEIGHT}`, class: "interval", "aria-hidden": "true" });
  const from = scale(item.low);
  picture.append(
    shape("line", { x1: scale(1), x2: scale(1), y1: 0, y2: HEIGHT, class: "same" }),
    shape("rect", { x: from, y: 4, width: Math.max(scale(item.high) - from, 1), height: 4, rx: 2 }),
    shape("circle", { cx: scale(item.times), cy: HEIGHT / 2, r: 4 }),
  );
  return picture;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
