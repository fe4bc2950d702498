// What the viewer looks at. It is kept in the page's address, so that a picture can be sent or put on a wall, and
// is the query of the stream of events.

export class Choice {
  constructor(columns, address) {
    this.columns = columns;
    const query = new URLSearchParams(address);
    const asked = query.get("by");
    this.by = columns.includes(asked) ? asked : columns.includes("age_band") ? "age_band" : columns[0];
    this.article = query.get("article");
    this.cell = this.segment(query, "cell.");
    this.compared = this.segment(query, "compare.");
  }

  segment(query, prefix) {
    const found = this.columns.filter((column) => query.has(prefix + column));
    return Object.fromEntries(found.map((column) => [column, query.get(prefix + column)]));
  }

  query() {
    const query = new URLSearchParams({ by: this.by });
    if (this.article !== null) {
      query.set("article", this.article);
      for (const [column, value] of Object.entries(this.cell)) query.set(`cell.${column}`, value);
    }
    for (const [column, value] of Object.entries(this.compared)) query.set(`compare.${column}`, value);
    return query.toString();
  }

  get comparing() {
    return Object.keys(this.compared).length > 0;
  }
}
