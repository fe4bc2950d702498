// Lists to choose a segment of, one for each column, and to sort the heat map by.

import { columnName, element } from "./text.js";

/** Fills the list when what it offers changed: an open one would close. options: [value, text]; value: chosen. */
export function fill(select, options, value) {
  const now = JSON.stringify(options);
  if (select.dataset.options !== now) {
    select.dataset.options = now;
    select.replaceChildren(...options.map(([each, text]) => element("option", { value: each }, text)));
  }
  select.value = value;
}

export class SegmentChooser {
  /** chosen(): the segment; choose(segment). name: for those who hear the lists. */
  constructor(place, columns, { chosen, choose, name }) {
    this.chosen = chosen;
    this.selects = columns.map((column) => {
      const select = element("select", { name: column, "aria-label": `${name}${columnName(column)}` });
      select.addEventListener("change", () => {
        const { [column]: _, ...others } = chosen();
        choose(select.value === "" ? others : { ...others, [column]: select.value.slice(1) });
      });
      place.append(select);
      return select;
    });
    this.draw({});
  }

  /** values: of each column, those that were clicked. */
  draw(values) {
    for (const select of this.selects) {
      const chosen = this.chosen()[select.name];
      const known = values[select.name] ?? [];
      const offered = chosen === undefined || known.includes(chosen) ? known : [chosen, ...known];
      const options = [["", `any ${columnName(select.name)}`], ...offered.map((value) => [`=${value}`, value])];
      fill(select, options, chosen === undefined ? "" : `=${chosen}`);
    }
  }
}
