// What the viewer looks at. It is kept in the page's address, so that a picture can be sent or put on a wall, and
// is the query of the stream of events.

const RANGE = ["last", "since", "until"];

export class Choice {
  constructor(columns, address) {
    this.columns = columns;
    this.read(address);
  }

  /** address: its query. */
  read(address) {
    const query = new URLSearchParams(address);
    const { columns } = this;
    const asked = query.get("by");
    this.by = columns.includes(asked) ? asked : columns.includes("age_band") ? "age_band" : columns[0];
    this.article = query.get("article");
    this.cell = this.segment(query, "cell.");
    this.compared = this.segment(query, "compare.");
    this.beside = this.segment(query, "beside.");
    this.tops = query.has("tops") ? (query.get("tops") === "all" ? "all" : "1") : null;
    this.sort = query.get("sort");
    this.about = query.get("about");
    this.find = query.get("find") || null;
    this.range = Object.fromEntries(RANGE.filter((name) => query.has(name)).map((name) => [name, query.get(name)]));
  }

  segment(query, prefix) {
    const found = this.columns.filter((column) => query.has(prefix + column));
    return Object.fromEntries(found.map((column) => [column, query.get(prefix + column)]));
  }

  /** Of the page: what the board is asked, and what only the page shows otherwise. */
  address() {
    return this.query() + (this.sort === null ? "" : `&sort=${encodeURIComponent(this.sort)}`);
  }

  /** What the board is asked. */
  query() {
    const query = new URLSearchParams({ by: this.by });
    if (this.article !== null) {
      query.set("article", this.article);
      for (const [column, value] of Object.entries(this.cell)) query.set(`cell.${column}`, value);
    }
    for (const [column, value] of Object.entries(this.compared)) query.set(`compare.${column}`, value);
    for (const [column, value] of Object.entries(this.beside)) query.set(`beside.${column}`, value);
    if (this.tops !== null) query.set("tops", this.tops);
    if (this.about !== null) query.set("about", this.about);
    if (this.find !== null) query.set("find", this.find);
    for (const [name, value] of Object.entries(this.range)) query.set(name, value);
    return query.toString();
  }

  get besides() {
    return Object.keys(this.beside).length > 0;
  }

  get comparing() {
    return Object.keys(this.compared).length > 0;
  }

  /** Whether the time has a beginning and an end. */
  get fixed() {
    return "since" in this.range;
  }
}
