// Two segments side by side: what each clicks most, and which place an article has in the other.

import { articleButton, element, label, number } from "./text.js";

export class Side {
  constructor({ place, open }) {
    this.table = place.querySelector("table");
    this.open = open;
  }

  draw(answer, ranked) {
    const [one, other] = answer.lists;
    const places = answer.lists.map((list) => new Map(list.articles.map((article, row) => [article.id, row + 1])));
    const shown = Math.max(...answer.lists.map((list) => Math.min(list.articles.length, answer.shown)));
    const cells = (list, row, elsewhere) => {
      const article = list.articles[row];
      if (!article) return [element("td", {}), element("td", {}), element("td", {})];
      const share = ((100 * article.clicks) / Math.max(list.clicks, 1)).toFixed(1);
      const there = elsewhere.get(article.id);
      return [
        element("td", {}, articleButton(article, this.open)),
        element("td", { class: "figure" }, `${number(article.clicks)} · ${share} %`),
        element("td", { class: "figure of" }, there ? `place ${there} there` : `not in the first ${ranked} there`),
      ];
    };
    const head = (list) =>
      element("th", { scope: "colgroup", colspan: "3" }, label(list.segment_label), element("span", { class: "of" }, ` ${number(list.clicks)} clicks`));
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "place"), head(one), head(other))),
      element(
        "tbody",
        {},
        ...Array.from({ length: shown }, (_, row) =>
          element("tr", {}, element("th", { scope: "row" }, String(row + 1)), ...cells(one, row, places[1]), ...cells(other, row, places[0])),
        ),
      ),
    );
  }
}
