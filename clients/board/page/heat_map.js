// The heat map: a grid of buttons, walked through with the arrow keys. A cell says its clicks; its colour is
// its share of the clicks of its column, so that large and small segments can be compared. A small column counts
// as half an average one: two clicks of ten are no strong sign.

import { element, label, number } from "./text.js";

const STEPS = 6;

export const segmentKey = (segment) => JSON.stringify(segment);

export class HeatMap {
  /** choose.cell(article, segment) and choose.segment(segment) are called when one is pressed. */
  constructor(table, choose) {
    this.table = table;
    this.choose = choose;
    this.shape = "";
    this.cells = [];
    this.heads = [];
    this.totals = [];
    table.addEventListener("keydown", (event) => this.walk(event));
  }

  draw(map, chosen) {
    const shape = JSON.stringify([map.articles.map((a) => [a.id, a.label]), map.segments.map((s) => s.segment)]);
    if (shape !== this.shape) this.build(map, shape);
    this.map = map;
    const most = mostShare(map);
    const bases = map.segments.map((_, column) => base(map, column));
    map.segments.forEach((segment, column) => {
      const head = this.heads[column];
      head.lastElementChild.textContent = number(segment.clicks);
      head.setAttribute("aria-pressed", segmentKey(segment.segment) === chosen.compared);
    });
    const allGrown = [];
    map.articles.forEach((article, row) => {
      this.totals[row].textContent = number(article.clicks);
      map.segments.forEach((segment, column) => {
        const button = this.cells[row][column];
        const clicks = map.cells[row][column];
        const text = number(clicks);
        const key = `${article.id}\u0000${segmentKey(segment.segment)}`;
        const grown = button.dataset.key === key && Number(button.dataset.clicks) < clicks;
        if (button.textContent !== text) button.textContent = text;
        button.dataset.key = key;
        button.dataset.clicks = clicks;
        button.dataset.level = level(clicks, bases[column], most);
        button.setAttribute("aria-label", `${article.label}, ${segment.segment_label}: ${clicks} clicks`);
        button.setAttribute("aria-pressed", key === chosen.cell);
        if (grown) allGrown.push(button);
      });
    });
    flash(this.table, allGrown);
  }

  build(map, shape) {
    const focused = this.table.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.shape = shape;
    this.heads = map.segments.map((segment) =>
      element(
        "button",
        { type: "button", class: "segment", tabindex: "-1", title: "Compare with everyone else" },
        label(segment.segment_label),
        element("span", { class: "of" }),
      ),
    );
    this.heads.forEach((head, column) => {
      head.dataset.key = segmentKey(map.segments[column].segment);
      head.addEventListener("click", () => this.choose.segment(this.map.segments[column]));
    });
    this.totals = map.articles.map(() => element("span", { class: "of" }));
    this.cells = map.articles.map((_, row) =>
      map.segments.map((_, column) => {
        const button = element("button", { type: "button", class: "cell", tabindex: "-1" });
        button.addEventListener("click", () =>
          this.choose.cell(this.map.articles[row], this.map.segments[column]),
        );
        return button;
      }),
    );
    const head = element(
      "tr",
      { role: "row" },
      element("th", { role: "columnheader", scope: "col", class: "corner" }, "Article"),
      ...this.heads.map((button) => element("th", { role: "columnheader", scope: "col" }, button)),
    );
    const rows = map.articles.map((article, row) =>
      element(
        "tr",
        { role: "row" },
        element(
          "th",
          { role: "rowheader", scope: "row" },
          element("span", { class: "row-head" }, label(article.label), this.totals[row]),
        ),
        ...this.cells[row].map((button) => element("td", { role: "gridcell" }, button)),
      ),
    );
    this.table.replaceChildren(
      element("thead", { role: "rowgroup" }, head),
      element("tbody", { role: "rowgroup" }, ...rows),
    );
    this.table.dataset.columns = map.segments.length > 10 ? "many" : "few";
    this.map = map;
    this.buttons = [this.heads, ...this.cells];
    this.restoreFocus(map, focused);
  }

  restoreFocus(map, focused) {
    const keys = [
      map.segments.map((s) => segmentKey(s.segment)),
      ...map.articles.map((a) => map.segments.map((s) => `${a.id}\u0000${segmentKey(s.segment)}`)),
    ];
    let row = keys.findIndex((line) => line.includes(focused));
    const column = Math.max(row < 0 ? 0 : keys[row].indexOf(focused), 0);
    if (row < 0) row = Math.min(1, this.buttons.length - 1);
    const button = this.buttons[row]?.[column];
    if (!button) return;
    button.tabIndex = 0;
    if (focused !== null) button.focus();
  }

  walk(event) {
    const row = this.buttons?.findIndex((line) => line.includes(event.target));
    if (row === undefined || row < 0) return;
    const column = this.buttons[row].indexOf(event.target);
    const last = this.buttons[row].length - 1;
    const to = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Home: [row, 0],
      End: [row, last],
    }[event.key];
    const button = to && this.buttons[to[0]]?.[to[1]];
    if (!button) return;
    event.preventDefault();
    for (const each of this.buttons.flat()) each.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }
}

const base = (map, column) => {
  const all = map.segments.reduce((sum, segment) => sum + segment.clicks, 0);
  return Math.max(map.segments[column].clicks, all / map.segments.length / 2, 1);
};

/** The largest share that a cell has of its column. */
export function mostShare(map) {
  const shares = map.cells.flatMap((row) => row.map((clicks, column) => clicks / base(map, column)));
  return Math.max(...shares, 0);
}

/** 0 for no clicks, else 1 to STEPS: steps of the root of the share, as few articles have most clicks. */
function level(clicks, of, most) {
  if (!clicks || !most) return 0;
  return Math.min(1 + Math.floor(STEPS * Math.sqrt(clicks / of / most)), STEPS);
}

function flash(table, buttons) {
  for (const button of buttons) button.classList.remove("grown");
  void table.offsetWidth; // starts the animations anew; once for all, as it lays the whole table out
  for (const button of buttons) button.classList.add("grown");
}
