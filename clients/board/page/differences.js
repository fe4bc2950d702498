// What rises, and what a segment reads more or less than everyone else: how many times, with its interval.

import { element, label, number, times } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 12;

/** items: {label, times, low, high, headline, detail, less} */
export function drawDifferences(list, items) {
  const low = Math.min(1, ...items.map((item) => item.low));
  const high = Math.max(1, ...items.map((item) => item.high));
  const scale = (value) => (WIDTH * Math.log(value / low)) / (Math.log(high / low) || 1);
  list.replaceChildren(
    ...items.map((item) =>
      element(
        "li",
        { class: item.less ? "less" : "more" },
        label(item.label),
        element("span", { class: "times" }, `${item.less ? "▼" : "▲"} ${item.headline}`),
        interval(item, scale),
        element("span", { class: "detail" }, item.detail),
      ),
    ),
  );
}

/** Without a click before, how many times is a guess: only the lower end is told. */
export const risen = (article) => ({
  ...article,
  headline: article.before ? `×${times(article.times)}` : "new",
  detail:
    `${number(article.clicks)} now, ${number(article.before)} before; ` +
    (article.before ? `×${times(article.low)} to ×${times(article.high)}` : `×${times(article.low)} or more`),
});

export const compared = (article, less) => ({
  ...article,
  less,
  headline: `×${times(article.times)}`,
  detail: `${number(article.clicks)} here, ${number(article.others)} elsewhere; ×${times(article.low)} to ×${times(article.high)}`,
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
