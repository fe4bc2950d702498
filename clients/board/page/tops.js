// The top of each segment as a table, to be taken along as CSV or PNG.

import { download, csv, picture } from "./downloads.js";
import { articleButton, element, label, number } from "./text.js";

/** CSV: one line for each place of each segment. */
const HEADER = ["since", "until", "complete_until", "segment", "place", "article_id", "title", "clicks"];

const MAX_COLUMNS = 60; // as in a picture

/** 0, 1, ... up to the length of the longest list. */
const places = (lists) => Array.from({ length: Math.max(0, ...lists.map((list) => list.articles.length)) }, (_, place) => place);
const head = (list) => [label(list.segment_label), element("span", { class: "of" }, ` ${number(list.clicks)}`)];
const table = (heads, rows) => [
  element("thead", {}, element("tr", {}, ...heads.map((of) => element("th", { scope: "col" }, ...[of].flat())))),
  element("tbody", {}, ...rows),
];

export class Tops {
  /** open(id): an article; timeText(): of what is shown. */
  constructor({ place, open, timeText }) {
    Object.assign(this, { open, timeText });
    this.table = place.querySelector("table");
    this.parts = place.querySelector("#tops-parts");
    this.buttons = [...place.querySelectorAll("[data-download]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.take(button.dataset.download));
  }

  draw(answer) {
    this.answer = answer;
    for (const button of this.buttons) button.disabled = !answer || (button.dataset.download === "png" && answer.lists.length > MAX_COLUMNS);
    if (!answer) return;
    const focused = this.table.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.table.replaceChildren(...(answer.lists.length > MAX_COLUMNS ? this.rows(answer.lists) : this.columns(answer.lists)));
    if (focused) [...this.table.querySelectorAll("button")].find((button) => button.dataset.key === focused)?.focus();
  }

  /** parts: how many are answered of all; null where nothing is asked in parts. */
  drawParts(parts) {
    this.parts.hidden = !parts;
    if (!parts) return;
    const bar = this.parts.querySelector("progress");
    Object.assign(bar, { max: Math.max(parts.of, 1), value: parts.done });
    this.parts.querySelector("span").textContent = `asking all segments: ${parts.done} of ${parts.of} parts answered`;
  }

  columns(lists) {
    const rows = places(lists).map((row) =>
      element("tr", {}, element("th", { scope: "row" }, String(row + 1)), ...lists.map((list) => element("td", {}, ...this.cell(list, row)))),
    );
    return table(["place", ...lists.map(head)], rows);
  }

  /** Of more segments than fit beside each other. */
  rows(lists) {
    const rows = lists.map((list) =>
      element("tr", {}, element("th", { scope: "row" }, ...head(list)), ...places(lists).map((place) => element("td", {}, ...this.cell(list, place)))),
    );
    return table(["segment", ...places(lists).map((place) => String(place + 1))], rows);
  }

  cell(list, row) {
    const article = list.articles[row];
    if (!article) return [""];
    const button = articleButton(article, this.open);
    button.dataset.key = `${list.segment_label} ${row}`;
    return [button, element("span", { class: "of" }, ` ${number(article.clicks)}`)];
  }

  async take(form) {
    const { minutes, freshness, lists } = this.answer;
    const name = `click-trends-${minutes.until.slice(0, 16).replace(":", "")}`;
    if (form === "csv") {
      const time = [minutes.since, minutes.until, freshness.complete_until ?? ""];
      const lines = lists.flatMap((list) =>
        list.articles.map((article, row) => [...time, list.segment_label, row + 1, article.id, article.title ?? "", article.clicks]),
      );
      download(`${name}.csv`, new Blob([csv([HEADER, ...lines])], { type: "text/csv" }));
      return;
    }
    const text = (article) => (article ? `${article.label}  ${number(article.clicks)}` : "");
    const rows = places(lists).map((row) => [String(row + 1), ...lists.map((list) => text(list.articles[row]))]);
    const heads = ["place", ...lists.map((list) => `${list.segment_label}  ${number(list.clicks)}`)];
    download(`${name}.png`, await picture(this.timeText(), heads, rows));
  }
}
