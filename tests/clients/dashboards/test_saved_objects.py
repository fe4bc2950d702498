"""The saved objects for OpenSearch Dashboards: what they name exists, and their aggregations give the numbers
of the reader. Dashboards itself is in no package registry, so its own code did not run here."""

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from clients.batch_server import TrendingReader
from clients.batch_server.segment import Segment
from clients.dashboards import saved_objects
from clients.dashboards.saved_objects import SavedObject, Visualization, as_ndjson, pictures
from contract import sink
from contract.count import COUNT_KEY, SEGMENT_COLUMNS, WINDOW
from contract.sink import CLICK_COUNTS, SINKS
from lambdas.search_bootstrap.definitions import definitions
from names import counts_alias
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.conftest import Call

OBJECTS = saved_objects.saved_objects()
TEN_BARS = 10 * WINDOW

# The mappings of the types in OpenSearch Dashboards; those of visualization and dashboard are strict.
ATTRIBUTES = {
    "index-pattern": {"title", "timeFieldName"},
    "visualization": {
        "description",
        "kibanaSavedObjectMeta",
        "savedSearchRefName",
        "title",
        "uiStateJSON",
        "version",
        "visState",
    },
    "dashboard": {
        "description",
        "hits",
        "kibanaSavedObjectMeta",
        "optionsJSON",
        "panelsJSON",
        "refreshInterval",
        "timeFrom",
        "timeRestore",
        "timeTo",
        "title",
        "version",
    },
}
# src/plugins/vis_type_{vislib,table}: the schemas of a kind, and whether each may be absent
SCHEMAS = {
    "histogram": {"metric", "segment", "group"},
    "heatmap": {"metric", "segment", "group"},
    "table": {"metric", "bucket"},
}
AGGREGATABLE = {"sum": {"long"}, "terms": {"keyword"}, "date_histogram": {"date"}}


def of_type(kind: str) -> list[SavedObject]:
    return [each for each in OBJECTS if each["type"] == kind]


def search_source(each: SavedObject) -> dict[str, Any]:
    source: dict[str, Any] = json.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    return source


def mapping() -> dict[str, str]:
    """Field -> type, as the search bootstrap maps the indices of the counts."""
    [template] = [
        definition.body
        for definition in definitions(definition_properties(SearchSettings()))
        if definition.path == f"/_index_template/{CLICK_COUNTS.index_family}" and definition.body
    ]
    fields = template["template"]["mappings"]["properties"]
    return {name: field["type"] for name, field in fields.items()}


def test_each_index_family_has_a_data_view_of_what_readers_see() -> None:
    views = {each["id"]: each["attributes"] for each in of_type("index-pattern")}
    assert views == {
        each.index_family: {"title": counts_alias(each.index_family), "timeFieldName": "minute"}
        for each in SINKS
    }


def test_an_object_holds_what_its_type_has_and_stands_once() -> None:
    assert len({(each["type"], each["id"]) for each in OBJECTS}) == len(OBJECTS)
    for each in OBJECTS:
        assert set(each) == {"type", "id", "attributes", "references", "migrationVersion"}
        assert set(each["attributes"]) <= ATTRIBUTES[each["type"]]
        assert set(each["migrationVersion"]) == {each["type"]}


def test_each_reference_leads_to_an_object_of_the_file_and_is_used() -> None:
    known = {(each["type"], each["id"]) for each in OBJECTS}
    for each in OBJECTS:
        assert {(one["type"], one["id"]) for one in each["references"]} <= known
        names = [one["name"] for one in each["references"]]
        if each["type"] == "visualization":
            assert names == [search_source(each)["indexRefName"]]
        if each["type"] == "dashboard":
            assert names == [panel["panelRefName"] for panel in json.loads(each["attributes"]["panelsJSON"])]


def test_the_file_is_read_line_by_line_as_dashboards_reads_it() -> None:
    text = as_ndjson(OBJECTS)
    assert text.endswith("\n")
    assert [json.loads(line) for line in text.split("\n") if line.strip()] == OBJECTS


def test_the_dashboard_shows_every_picture_once_and_no_two_overlap() -> None:
    [dashboard] = of_type("dashboard")
    assert [one["id"] for one in dashboard["references"]] == [each.id for each in pictures()]
    panels = [panel["gridData"] for panel in json.loads(dashboard["attributes"]["panelsJSON"])]
    cells = [
        (panel["x"] + column, panel["y"] + row)
        for panel in panels
        for column in range(panel["w"])
        for row in range(panel["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < saved_objects.GRID


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.name)
def test_each_aggregation_is_on_a_field_that_the_mapping_can_aggregate(picture: Visualization) -> None:
    fields = mapping()
    used = picture.state["aggs"]
    assert [each["id"] for each in used] == [str(number) for number in range(1, len(used) + 1)]
    schemas = [each["schema"] for each in used]
    assert set(schemas) <= SCHEMAS[picture.kind]
    assert len(schemas) == len(set(schemas))
    for each in used:
        assert fields[each["params"]["field"]] in AGGREGATABLE[each["type"]]


def test_every_segment_column_has_its_pictures() -> None:
    drawn = {
        each["params"]["field"]
        for picture in pictures()
        for each in picture.buckets
        if each["type"] == "terms"
    }
    assert drawn == set(SEGMENT_COLUMNS) | {"article_id"}


def test_a_fourth_column_and_another_generation_are_drawn_without_a_change_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = sink.Sink(
        table="click_counts",
        name="counts",
        family="click-counts",
        key=(*COUNT_KEY, "shoe_size"),
        generation=CLICK_COUNTS.generation + 1,
    )
    monkeypatch.setattr(saved_objects, "SINKS", (CLICK_COUNTS,))
    before = saved_objects.saved_objects()
    monkeypatch.setattr(saved_objects, "SEGMENT_COLUMNS", (*SEGMENT_COLUMNS, "shoe_size"))
    monkeypatch.setattr(saved_objects, "CLICK_COUNTS", counts)
    monkeypatch.setattr(saved_objects, "SINKS", (counts,))
    made = saved_objects.saved_objects()
    assert made[0]["attributes"]["title"] == counts.index_family
    names = [each["id"] for each in made]
    assert f"{counts.index_family}-heat-map-by-shoe-size" in names
    assert len(made) == len(before) + 2
    assert not {each["id"] for each in OBJECTS} & set(names)


def query(picture: Visualization, since: datetime, until: datetime) -> dict[str, Any]:
    """The search that Dashboards sends for a picture (agg_configs.ts `toDsl`, buckets/terms.ts,
    buckets/date_histogram.ts, get_time.ts): each bucket within the one before, the metric in the innermost,
    and in each `terms` whose order needs it."""
    metric, *buckets = picture.state["aggs"]
    clicks = {"sum": {"field": metric["params"]["field"]}}
    top: dict[str, Any] = {}
    level = top
    for bucket in buckets:
        params = bucket["params"]
        inner: dict[str, Any] = {}
        if bucket["type"] == "terms":
            made = {
                "field": params["field"],
                "size": params["size"],
                "order": {params["orderBy"]: params["order"]},
            }
            if params["orderBy"] == metric["id"]:
                inner[metric["id"]] = clicks
        else:
            made = {
                "field": params["field"],
                **interval_of(params["interval"]),
                "time_zone": "Asia/Tokyo",
                "min_doc_count": params["min_doc_count"],
            }
        level[bucket["id"]] = {bucket["type"]: made, "aggs": inner}
        level = inner
    level[metric["id"]] = clicks
    during = {
        "gte": since.isoformat(),
        "lte": (until - timedelta(milliseconds=1)).isoformat(),
        "format": "strict_date_optional_time",
    }
    return {"size": 0, "query": {"bool": {"filter": [{"range": {"minute": during}}]}}, "aggs": top}


def interval_of(interval: str) -> dict[str, str]:
    """As time_buckets.ts reads it and calc_opensearch_interval.ts writes it."""
    number, unit = int(interval[:-1]), interval[-1]
    assert unit in "smhd"
    return {"calendar_interval" if number == 1 else "fixed_interval": f"{number}{unit}"}


def rows(picture: Visualization, answer: dict[str, Any]) -> dict[tuple[Any, ...], int]:
    """(key of the outer bucket, of the inner) -> clicks, in the order of the answer."""

    def walk(level: dict[str, Any], ids: list[str], keys: tuple[Any, ...]) -> None:
        if not ids:
            found[keys] = round(level["1"]["value"])
            return
        assert not level[ids[0]].get("sum_other_doc_count", 0) or ids[0] == "2"
        for bucket in level[ids[0]]["buckets"]:
            walk(bucket, ids[1:], (*keys, bucket["key"]))

    found: dict[tuple[Any, ...], int] = {}
    walk(answer["aggregations"], [bucket["id"] for bucket in picture.buckets], ())
    return found


def named(name: str) -> Visualization:
    [picture] = [each for each in pictures() if each.name == name]
    return picture


@pytest.fixture
def asked(day: datetime, add_counts: AddCounts, call: Call) -> Any:
    """Counts of 30 articles in ten bars, and what each picture shows of them."""
    since = day + timedelta(hours=3)
    values = {column: ["a", "北海道", "unknown"] for column in SEGMENT_COLUMNS}
    rng = random.Random(7)
    keys = {
        (rng.randrange(10), rng.randrange(30), tuple(rng.choice(values[column]) for column in values))
        for _ in range(400)
    }
    add_counts(
        count(
            since + number * WINDOW,
            f"記事-{article}",
            rng.randint(1, 40),
            **dict(zip(values, segment, strict=True)),
        )
        for number, article, segment in sorted(keys)
    )
    until = since + TEN_BARS
    pattern = of_type("index-pattern")[0]["attributes"]["title"]

    def ask(name: str) -> dict[tuple[Any, ...], int]:
        picture = named(name)
        return rows(picture, call("POST", f"/{pattern}/_search", query(picture, since, until)))

    return ask, until


def test_the_pictures_show_the_readers_numbers(asked: Any, reader: TrendingReader) -> None:
    ask, until = asked
    top = reader.top(TEN_BARS, limit=saved_objects.ARTICLES_SHOWN, until=until)
    assert list(ask("top-articles").items()) == [((each.article_id,), each.clicks) for each in top.articles]

    trend = reader.trend(TEN_BARS, until=until)
    assert minutes_of(ask("clicks-over-time")) == dict(zip(trend.starts, trend.series[0].clicks, strict=True))

    for column in SEGMENT_COLUMNS:
        slug = column.replace("_", "-")
        heat_map = reader.heat_map(TEN_BARS, (column,), saved_objects.ARTICLES_SHOWN, until=until)
        cells = ask(f"heat-map-by-{slug}")
        assert cells == {
            (article.article_id, value_of(segment, column)): clicks
            for article, row in zip(heat_map.articles, heat_map.cells, strict=True)
            for segment, clicks in zip(heat_map.segments, row, strict=True)
            if clicks
        }
        order = [article for article, _ in cells]
        assert [order[0], *(b for a, b in pairwise(order) if a != b)] == [
            article.article_id for article in heat_map.articles
        ]
        by_column = reader.trend(TEN_BARS, by=(column,), until=until)
        shown = ask(f"clicks-by-{slug}")
        assert shown
        for series in by_column.series:
            value = value_of(series.segment, column)
            drawn = minutes_of({(at,): clicks for (found, at), clicks in shown.items() if found == value})
            assert drawn == {
                start: clicks for start, clicks in zip(by_column.starts, series.clicks, strict=True) if clicks
            }


def value_of(segment: Segment, column: str) -> str:
    return segment.as_dict()[column]


def minutes_of(found: dict[tuple[Any, ...], int]) -> dict[datetime, int]:
    return {datetime.fromtimestamp(at / 1000, UTC): clicks for (at,), clicks in found.items()}
