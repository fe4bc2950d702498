// What opened each panel: the focus goes back there when the panel is closed.

export class Openers {
  /** otherwise(): where to, when that is gone. */
  constructor(otherwise) {
    this.otherwise = otherwise;
    this.of = new Map();
  }

  /** What has the focus is opening the panel. */
  remember(panel) {
    const from = document.activeElement;
    if (from && from !== document.body && !panel.contains(from)) this.of.set(panel, from);
  }

  /** A list may have been drawn anew meanwhile: then to the same article. */
  back(panel) {
    const opener = this.of.get(panel);
    const articles = [...document.querySelectorAll("button.article")];
    const same = articles.find(({ title, offsetParent }) => offsetParent && title === opener?.title);
    (opener?.isConnected ? opener : same ?? this.otherwise())?.focus();
  }
}
