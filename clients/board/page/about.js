// One article: its place in each segment, when it rose, its series for each segment, and a link.

import { Chart } from "./chart.js";
import { segmentKey } from "./heat_map.js";
import { element, moment, number, span, times } from "./text.js";

/** Where the article is, by a template as https://news.example/{article_id}; null without one, and for an id that
    would be another path, as "..". */
export function linkOf(template, id) {
  if (!template) return null;
  const hex = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  const encoded = encodeURIComponent(id).replace(/[!'()*]/g, hex);
  const link = template.replaceAll("{article_id}", () => encoded);
  return URL.canParse(link) && new URL(link).href.includes(encoded) ? link : null;
}

export class About {
  /** zone: of the times; template: of the links; zoom: of the charts. */
  constructor({ zone, template, place, zoom }) {
    Object.assign(this, { zone, template, place, zoom });
    this.at = (name) => place.querySelector(`[data-part="${name}"]`);
    this.rows = [];
  }

  /** bars(chart, answer, clicks): draws them, and tells what is complete; now: milliseconds. */
  draw(answer, { ranked, timeText, bars, now }) {
    this.at("title").replaceChildren(element("bdi", {}, answer.label));
    const link = linkOf(this.template, answer.id);
    const anchor = link && element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, "open the article ↗");
    this.at("id").replaceChildren("id ", element("bdi", { class: "id" }, answer.id_label), ...(anchor ? [" ", anchor] : []));
    const [all] = answer.segments;
    this.at("summary").textContent =
      `${number(all.clicks.reduce((sum, clicks) => sum + clicks, 0))} clicks, ${timeText}; ` + placeText(all.place, ranked);
    this.at("rises").replaceChildren(...answer.rises.map((rise) => element("li", {}, this.riseText(rise, now))));
    this.at("rises-none").hidden = answer.rises.length > 0;
    this.drawRows(answer, ranked, bars);
  }

  drawRows(answer, ranked, bars) {
    const shape = JSON.stringify([answer.id, answer.segments.map((each) => each.segment)]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.rows = answer.segments.map((each) => {
        const caption = element("figcaption", {});
        const chart = element("div", { class: "chart small", "aria-label": `Clicks by ${each.segment_label}` });
        return { caption, chart: new Chart(chart, this.zone, this.zoom), figure: element("figure", { "data-segment": segmentKey(each.segment) }, caption, chart) };
      });
      this.at("series").replaceChildren(...this.rows.map((row) => row.figure));
    }
    answer.segments.forEach((each, index) => {
      const sum = each.clicks.reduce((total, clicks) => total + clicks, 0);
      this.rows[index].caption.replaceChildren(
        element("bdi", { class: "label" }, each.segment_label),
        element("span", { class: "of" }, ` ${number(sum)}; ${placeText(each.place, ranked)}`),
      );
      bars(this.rows[index].chart, answer, each.clicks);
    });
  }

  riseText({ at, span_seconds: seconds, clicks, before, times: grown, low, high }, now) {
    const by = before ? `×${times(grown)}, ×${times(low)} to ×${times(high)}` : `new, ×${times(low)} or more`;
    return `▲ ${moment(at, this.zone, now)}: ${by}; ${number(clicks)} clicks in ${span(seconds)}, ${number(before)} before`;
  }
}

const placeText = (place, ranked) => (place ? `place ${place}` : `not among the first ${ranked}`);
