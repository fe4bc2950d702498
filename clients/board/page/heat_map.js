// The heat map: a grid of buttons, walked through with the arrow keys. A cell says its clicks; its colour is
// its share of the clicks of its column, so that large and small segments can be compared. A small column counts
// as half an average one: two clicks of ten are no strong sign.

import { articleButton, element, label, number, QUIET_MS, setText } from "./text.js";

const STEPS = 6;

export const segmentKey = (segment) => JSON.stringify(segment);

export class HeatMap {
  /** choose.cell(article, segment), choose.segment(segment) and choose.article(id) are called when one is pressed;
      value: where a cell that is pointed at or focused tells its value. */
  constructor(table, choose, value) {
    this.value = value;
    for (const name of ["pointerover", "focusin"]) table.addEventListener(name, (event) => this.point(event.target));
    for (const name of ["pointerleave", "focusout"]) table.addEventListener(name, () => this.point(null));
    Object.assign(this, { table, choose, columns: "", rows: [], cells: [], heads: [] });
    table.addEventListener("focusin", ({ target }) => this.reach(target));
    table.addEventListener("keydown", (event) => this.walk(event));
  }

  draw(map, chosen) {
    const columns = JSON.stringify(map.segments.map((s) => s.segment));
    if (columns !== this.columns) this.build(map, columns);
    this.arrange(map);
    const most = mostShare(map);
    const bases = map.segments.map((_, column) => base(map, column));
    map.segments.forEach((segment, column) => {
      const head = this.heads[column];
      head.lastElementChild.textContent = number(segment.clicks);
      head.setAttribute("aria-pressed", segmentKey(segment.segment) === chosen.compared);
    });
    const longest = number(Math.max(0, ...map.cells.flat())).length;
    this.table.dataset.digits = longest > 7 ? "most" : longest > 5 ? "more" : "few";
    const allGrown = [];
    map.articles.forEach((article, row) => {
      setText(this.rows[row].total, number(article.clicks));
      map.segments.forEach((segment, column) => {
        const button = this.cells[row][column];
        const clicks = map.cells[row][column];
        const text = number(clicks);
        const key = `${article.id}\u0000${segmentKey(segment.segment)}`;
        const grown = button.dataset.key === key && Number(button.dataset.clicks) < clicks;
        setText(button, text);
        button.dataset.key = key;
        button.dataset.clicks = clicks;
        button.dataset.level = level(clicks, bases[column], most);
        if (button !== document.activeElement || Date.now() > this.quietUntil) this.name(button);
        button.setAttribute("aria-pressed", key === chosen.cell);
        if (grown) allGrown.push(button);
      });
    });
    flash(this.table, allGrown);
    this.point(this.pointed);
  }

  point(target) {
    this.pointed = target?.closest?.(".cell") ?? null;
    const texts = this.texts(this.pointed);
    setText(this.value, texts ? texts.join(", ") : "");
  }

  /** What the cell is named, and which shares it is. */
  texts(cell) {
    const row = this.cells.findIndex((line) => line.includes(cell));
    if (row < 0) return null;
    const column = this.cells[row].indexOf(cell);
    const [article, segment, clicks] = [this.map.articles[row], this.map.segments[column], this.map.cells[row][column]];
    const share = (of) => `${((100 * clicks) / Math.max(of, 1)).toFixed(1)} %`;
    return [
      `${article.label}, ${segment.segment_label}: ${number(clicks)} clicks`,
      `${share(segment.clicks)} of the segment’s, ${share(article.clicks)} of the article’s`,
    ];
  }

  /** For a screen reader; the shares only of the cell that has the focus or gets it next. */
  name(cell) {
    const texts = this.texts(cell);
    if (!texts) return;
    cell.setAttribute("aria-label", texts[0]);
    if (cell.tabIndex < 0) return cell.removeAttribute("aria-description");
    cell.setAttribute("aria-description", texts[1]);
    this.quietUntil = Date.now() + QUIET_MS;
  }

  build(map, columns) {
    this.focused = this.focusedKey();
    this.columns = columns;
    this.heads = map.segments.map((segment, column) => {
      const head = element(
        "button",
        { type: "button", class: "segment", tabindex: "-1", title: "Compare with everyone else" },
        label(segment.segment_label),
        element("span", { class: "of" }),
      );
      head.dataset.key = segmentKey(segment.segment);
      head.addEventListener("click", () => this.choose.segment(this.map.segments[column]));
      return head;
    });
    const head = element(
      "tr",
      { role: "row" },
      element("th", { role: "columnheader", scope: "col", class: "corner" }, "Article"),
      ...this.heads.map((button) => element("th", { role: "columnheader", scope: "col" }, button)),
    );
    this.rows = [];
    this.body = element("tbody", { role: "rowgroup" });
    this.table.replaceChildren(element("thead", { role: "rowgroup" }, head), this.body);
    this.table.dataset.columns = map.segments.length > 10 ? "many" : "few";
  }

  /** The rows in the order of the map. Those of articles that stay are kept, and the one with the focus is not even
      moved: a screen reader is not sent back. */
  arrange(map) {
    const focused = this.focused ?? this.focusedKey();
    this.focused = null;
    this.map = map;
    const kept = new Map(this.rows.map((row) => [row.key, row]));
    this.rows = map.articles.map((article) => kept.get(rowKey(article)) ?? this.row(article));
    const lines = this.rows.map(({ line }) => line);
    for (const line of [...this.body.children]) if (!lines.includes(line)) line.remove();
    for (let at = lines.length - 1; at >= 0; at -= 1) {
      const next = lines[at + 1] ?? null;
      const isPlaced = lines[at].isConnected && lines[at].nextSibling === next;
      if (!isPlaced && !lines[at].contains(document.activeElement)) this.body.insertBefore(lines[at], next);
    }
    this.cells = this.rows.map(({ cells }) => cells);
    this.buttons = [[null, ...this.heads], ...this.rows.map(({ name, cells }) => [name, ...cells])];
    const isLost = focused !== null && !this.table.contains(document.activeElement);
    if (isLost || !this.buttons.flat().some((button) => button?.tabIndex === 0)) this.restoreFocus(map, focused);
  }

  row(article) {
    const name = articleButton(article, this.choose.article);
    name.tabIndex = -1;
    name.dataset.key = article.id;
    const total = element("span", { class: "of" });
    const cells = this.heads.map((_, column) => {
      const button = element("button", { type: "button", class: "cell", tabindex: "-1" });
      button.addEventListener("click", () => this.choose.cell(article, this.map.segments[column]));
      return button;
    });
    const line = element(
      "tr",
      { role: "row" },
      element("th", { role: "rowheader", scope: "row" }, element("span", { class: "row-head" }, name, total)),
      ...cells.map((button) => element("td", { role: "gridcell" }, button)),
    );
    return { key: rowKey(article), line, name, total, cells };
  }

  focusedKey() {
    return this.table.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  }

  restoreFocus(map, focused) {
    const keys = [
      [null, ...map.segments.map((s) => segmentKey(s.segment))],
      ...map.articles.map((a) => [a.id, ...map.segments.map((s) => `${a.id}\u0000${segmentKey(s.segment)}`)]),
    ];
    let row = focused === null ? -1 : keys.findIndex((line) => line.includes(focused));
    const column = row < 0 ? 1 : keys[row].indexOf(focused);
    if (row < 0) row = Math.min(1, this.buttons.length - 1);
    const button = this.buttons[row]?.[column];
    if (!button) return;
    this.reach(button);
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
      Home: [row, row ? 0 : 1],
      End: [row, last],
    }[event.key];
    const button = to && this.buttons[to[0]]?.[to[1]];
    if (!button) return;
    event.preventDefault();
    this.reach(button);
    button.focus();
  }

  /** The one that the Tab key comes to. */
  reach(button) {
    const before = this.buttons.flat().filter((each) => each?.tabIndex === 0 && each !== button);
    button.tabIndex = 0;
    this.name(button);
    for (const each of before) {
      each.tabIndex = -1;
      this.name(each);
    }
  }
}

const rowKey = ({ id, label: text }) => JSON.stringify([id, text]);

const base = (map, column) => {
  const all = map.segments.reduce((sum, segment) => sum + segment.clicks, 0);
  return Math.max(map.segments[column].clicks, all / map.segments.length / 2, 1);
};

/** The map with the articles that the segment of that label clicks most first; as it is where there is none. */
export function sorted(map, name) {
  const column = map.segments.findIndex((segment) => segment.segment_label === name);
  if (column < 0) return map;
  const order = map.articles.map((_, row) => row).sort((one, other) => map.cells[other][column] - map.cells[one][column]);
  return { ...map, articles: order.map((row) => map.articles[row]), cells: order.map((row) => map.cells[row]) };
}

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
