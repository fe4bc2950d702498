// The search box: articles by their id or title.

import { articleButton, element, number } from "./text.js";

export class Find {
  /** choose(text): what is to be found, null for nothing; open(id): an article. */
  constructor({ form, results, choose, open }) {
    Object.assign(this, { form, results, open });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      choose(this.input.value.trim() || null);
    });
    this.input.disabled = false; // what was asked before would be lost
  }

  get input() {
    return this.form.querySelector("input");
  }

  draw(text, answer) {
    if (document.activeElement !== this.input) this.input.value = text ?? "";
    this.results.hidden = text === null;
    if (text === null) return;
    const list = this.results.querySelector("ol");
    const note = this.results.querySelector("p > span");
    list.replaceChildren(
      ...(answer?.articles ?? []).map((article) =>
        element(
          "li",
          {},
          articleButton(article, this.open),
          element("span", { class: "of" }, article.clicks === null ? "" : number(article.clicks)),
        ),
      ),
    );
    if (!answer) note.textContent = "Reading …";
    else if (answer.too_many) note.textContent = "Too many articles: write more of the id or the title.";
    else note.textContent = `${number(answer.found)} found` + (answer.found > answer.articles.length ? `; the first ${answer.articles.length}` : "");
  }
}
