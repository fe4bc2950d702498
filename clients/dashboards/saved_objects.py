"""The board's pictures for those who live in OpenSearch Dashboards: saved objects, made from the contract.

What an object must hold, from the source of OpenSearch Dashboards: attributes from the saved object types
`index-pattern`, `visualization` and `dashboard` (saved_objects/ of the server of the plugins data,
visualizations and dashboard), aggregations from src/plugins/data/common/search/aggs. `migrationVersion` is
the newest migration that each type has there: a newer server migrates from it, an older one refuses it.

Every picture is a plain `sum` of clicks, as every answer of the reader is.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clients.batch_server.aggregations import MAX_SEGMENT_VALUES
from clients.batch_server.duration import duration_text
from contract.count import SEGMENT_COLUMNS, WINDOW
from contract.sink import CLICK_COUNTS, SINKS, Sink
from names import counts_alias

SavedObject = dict[str, Any]
Aggregation = dict[str, Any]

ARTICLES_SHOWN = 20
DASHBOARD_TITLE = "What each kind of reader clicks"
SHOWN = "now-1h"
REFRESHED_SECONDS = 10
GRID = 48
"""Columns of a dashboard (DASHBOARD_GRID_COLUMN_COUNT)."""
MIGRATED = {"index-pattern": "7.6.0", "visualization": "7.10.0", "dashboard": "7.9.3"}
CLICKS_ID, OUTER_ID, INNER_ID = "1", "2", "3"
_SEARCH_SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"


@dataclass(frozen=True, kw_only=True)
class Visualization:
    """A picture of the counts of clicks. name: part of its id; kind: of the visualization; buckets: of
    its aggregation, the outer first; params: how it looks; width, height: in the grid of a dashboard."""

    name: str
    title: str
    kind: str
    buckets: tuple[Aggregation, ...]
    params: dict[str, Any]
    width: int
    height: int

    @property
    def id(self) -> str:
        return f"{CLICK_COUNTS.index_family}-{self.name}"

    @property
    def state(self) -> dict[str, Any]:
        """`visState`: the metric, then the buckets; requests nest buckets in this order."""
        clicks = {
            "id": CLICKS_ID,
            "enabled": True,
            "type": "sum",
            "schema": "metric",
            "params": {"field": "clicks", "customLabel": "clicks"},
        }
        return {
            "title": self.title,
            "type": self.kind,
            "aggs": [clicks, *self.buckets],
            "params": {"type": self.kind, **self.params},
        }


def saved_objects() -> list[SavedObject]:
    """A data view for each index family, the pictures, and the dashboard that shows them."""
    shown = pictures()
    return [
        *(_data_view(sink) for sink in SINKS),
        *(_visualization(each) for each in shown),
        _dashboard(shown),
    ]


def as_ndjson(objects: Sequence[SavedObject]) -> str:
    return "".join(json.dumps(each, ensure_ascii=False, sort_keys=True) + "\n" for each in objects)


def pictures() -> tuple[Visualization, ...]:
    return (
        Visualization(
            name="clicks-over-time",
            title="Clicks over time",
            kind="histogram",
            buckets=(_minutes(OUTER_ID),),
            params=_over_time(),
            width=GRID // 2,
            height=12,
        ),
        Visualization(
            name="top-articles",
            title="Most clicked articles",
            kind="table",
            buckets=(_articles("bucket"),),
            params={"perPage": ARTICLES_SHOWN, "showPartialRows": False, "showTotal": False},
            width=GRID // 2,
            height=12,
        ),
        *(picture for column in SEGMENT_COLUMNS for picture in _of_column(column)),
    )


def _of_column(column: str) -> Iterator[Visualization]:
    label = column.replace("_", " ")
    slug = column.replace("_", "-")
    yield Visualization(
        name=f"heat-map-by-{slug}",
        title=f"Most clicked articles by {label}",
        kind="heatmap",
        buckets=(_articles("group"), _segments(INNER_ID, column, "segment")),
        params=_HEAT_MAP,
        width=GRID // 2,
        height=18,
    )
    yield Visualization(
        name=f"clicks-by-{slug}",
        title=f"Clicks over time by {label}",
        kind="histogram",
        buckets=(_segments(OUTER_ID, column, "group"), _minutes(INNER_ID)),
        params=_over_time(),
        width=GRID // 2,
        height=18,
    )


def _articles(schema: str) -> Aggregation:
    params = {"field": "article_id", "size": ARTICLES_SHOWN, "order": "desc", "orderBy": CLICKS_ID}
    return _bucket(OUTER_ID, "terms", schema, params)


def _segments(number: str, column: str, schema: str) -> Aggregation:
    """Every value, as many as the reader takes; a picture shows what was counted."""
    params = {"field": column, "size": MAX_SEGMENT_VALUES, "order": "asc", "orderBy": "_key"}
    return _bucket(number, "terms", schema, params)


def _minutes(number: str) -> Aggregation:
    """A bar for each time that a count spans; Dashboards widens them where there would be too many."""
    params = {"field": "minute", "interval": duration_text(WINDOW), "min_doc_count": 1}
    return _bucket(number, "date_histogram", "segment", params)


def _bucket(number: str, kind: str, schema: str, params: dict[str, Any]) -> Aggregation:
    if kind == "terms":
        params = {**params, "otherBucket": False, "missingBucket": False}
    return {"id": number, "enabled": True, "type": kind, "schema": schema, "params": params}


def _over_time() -> dict[str, Any]:
    axis = {"show": True, "style": {}, "labels": {"show": True, "truncate": 100}, "title": {}}
    return {
        "grid": {"categoryLines": False},
        "categoryAxes": [
            {
                **axis,
                "id": "CategoryAxis-1",
                "type": "category",
                "position": "bottom",
                "scale": {"type": "linear"},
            }
        ],
        "valueAxes": [
            {
                **axis,
                "id": "ValueAxis-1",
                "name": "LeftAxis-1",
                "type": "value",
                "position": "left",
                "scale": {"type": "linear", "mode": "normal"},
                "title": {"text": "clicks"},
            }
        ],
        "seriesParams": [
            {
                "show": True,
                "type": "histogram",
                "mode": "stacked",
                "data": {"label": "clicks", "id": CLICKS_ID},
                "valueAxis": "ValueAxis-1",
            }
        ],
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
    }


_HEAT_MAP: dict[str, Any] = {
    "addTooltip": True,
    "addLegend": True,
    "enableHover": False,
    "legendPosition": "right",
    "times": [],
    "colorsNumber": 10,
    "colorSchema": "Blues",
    "setColorRange": False,
    "colorsRange": [],
    "invertColors": False,
    "percentageMode": False,
    "valueAxes": [
        {
            "show": False,
            "id": "ValueAxis-1",
            "type": "value",
            "scale": {"type": "linear", "defaultYExtents": False},
            "labels": {"show": True, "rotate": 0, "overwriteColor": False, "color": "black"},
        }
    ],
}


def _data_view(sink: Sink) -> SavedObject:
    """Without `fields`: Dashboards then asks the indices for them when it opens the data view."""
    title = counts_alias(sink.index_family)
    return _object("index-pattern", sink.index_family, {"title": title, "timeFieldName": "minute"}, [])


def _visualization(picture: Visualization) -> SavedObject:
    source = {"query": {"query": "", "language": "kuery"}, "filter": [], "indexRefName": _SEARCH_SOURCE}
    return _object(
        "visualization",
        picture.id,
        {
            "title": picture.title,
            "description": "",
            "visState": json.dumps(picture.state),
            "uiStateJSON": "{}",
            "version": 1,
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
        },
        [{"name": _SEARCH_SOURCE, "type": "index-pattern", "id": CLICK_COUNTS.index_family}],
    )


def _dashboard(shown: Sequence[Visualization]) -> SavedObject:
    panels, references = [], []
    for number, (picture, (x, y)) in enumerate(zip(shown, _places(shown), strict=True), start=1):
        reference = f"panel_{number - 1}"
        panels.append(
            {
                "version": MIGRATED["dashboard"],
                "panelIndex": str(number),
                "gridData": {"x": x, "y": y, "w": picture.width, "h": picture.height, "i": str(number)},
                "embeddableConfig": {},
                "panelRefName": reference,
            }
        )
        references.append({"name": reference, "type": "visualization", "id": picture.id})
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    return _object(
        "dashboard",
        f"{CLICK_COUNTS.index_family}-board",
        {
            "title": DASHBOARD_TITLE,
            "description": "Running counts: the newest minutes still grow. Over more than one UTC day, "
            "articles with few clicks may be missing from a list; the batch server's lists are exact.",
            "panelsJSON": json.dumps(panels),
            "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
            "version": 1,
            "timeRestore": True,
            "timeFrom": SHOWN,
            "timeTo": "now",
            "refreshInterval": {"pause": False, "value": REFRESHED_SECONDS * 1000},
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
        },
        references,
    )


def _places(shown: Sequence[Visualization]) -> Iterator[tuple[int, int]]:
    """From left to right, and on the next row where there is no room."""
    x = y = row_height = 0
    for picture in shown:
        if x + picture.width > GRID:
            x, y, row_height = 0, y + row_height, 0
        yield x, y
        x, row_height = x + picture.width, max(row_height, picture.height)


def _object(
    kind: str, name: str, attributes: dict[str, Any], references: list[dict[str, str]]
) -> SavedObject:
    return {
        "type": kind,
        "id": name,
        "attributes": attributes,
        "references": references,
        "migrationVersion": {kind: MIGRATED[kind]},
    }
