"""Operator numbers are kept while their state can be read, and new for all when it cannot."""

import copy
from itertools import pairwise
from typing import Any

import pytest

from analytics_sql.main import SQL_FOLDER
from analytics_sql.operators import OperatorsError, Plan, Record, numbered, read_record, stateful
from analytics_sql.operators import recorded as recorded_with
from analytics_sql.record_operators import sinks_here
from contract.sink import REJECTS_TABLE, SINKS

KEY = "ROW<`minute` TIMESTAMP(3) WITH LOCAL TIME ZONE, `article_id` VARCHAR(2147483647)>"
CLICK = KEY.replace("minute", "event_time")
SOURCE, COUNT, SINK = "source clicks", "groupState of click_counts", "sink click_counts"


def sink(generation: int, *key: str) -> dict[str, Any]:
    return {"generation": generation, "key": [*(key or ("minute", "article_id"))], "grain_seconds": 60}


def recorded(plan: Plan, last: Record | None, counts: dict[str, Any] | None = None) -> Record:
    return recorded_with(plan, last, sinks={"click-counts": counts or sink(1)})


def table(name: str) -> dict[str, Any]:
    return {"table": {"identifier": f"`default_catalog`.`default_database`.`{name}`"}}


def aggregate(number: int, key: str = KEY, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stream-exec-global-group-aggregate_1",
        "grouping": [0, 1],
        "aggCalls": [
            {"name": "clicks", "internalName": "$COUNT$1", "argList": [], "type": "BIGINT NOT NULL"}
        ],
        "localAggInputRowType": key,
        "state": [{"index": 0, "ttl": "26 h", "name": "groupState"}],
        **more,
    }


def plan(*middle: dict[str, Any], sink: str = "click_counts") -> Plan:
    """A source, the nodes of `middle`, and a sink, in a row."""
    nodes = [
        {"id": 1, "type": "source", "scanTableSource": table("clicks"), "outputType": CLICK},
        *middle,
        {"id": middle[-1]["id"] + 1, "type": "sink", "dynamicTableSink": table(sink)},
    ]
    ids = [node["id"] for node in nodes]
    edges = [{"source": one, "target": next_} for one, next_ in pairwise(ids)]
    return {"flinkVersion": "2.3", "nodes": nodes, "edges": edges}


def calc(number: int) -> dict[str, Any]:
    return {"id": number, "type": "stream-exec-calc_1"}


def projection(number: int, unit: str, article: str = "unknown") -> dict[str, Any]:
    """Makes of a click its minute, or what else `unit` says, and its article or `article`."""
    columns = [{"kind": "INPUT_REF", "inputIndex": column} for column in (0, 1)]
    floor = [columns[0], {"kind": "LITERAL", "symbol": "TIME_UNIT_RANGE", "value": unit}]
    otherwise = [columns[1], {"kind": "LITERAL", "value": article, "type": "CHAR(7) NOT NULL"}]
    return {
        **calc(number),
        "projection": [
            {"kind": "CALL", "internalName": "$FLOOR$1", "operands": floor},
            {"kind": "CALL", "internalName": "$COALESCE$1", "operands": otherwise},
        ],
        "outputType": KEY,
    }


def two_steps(unit: str, article: str = "unknown") -> Plan:
    """With a count before the exchange and one behind it, as mini-batches have it."""
    local = aggregate(3, type="stream-exec-local-group-aggregate_1", outputType=KEY)
    del local["state"]
    return plan(
        projection(2, unit, article), local, {"id": 4, "type": "stream-exec-exchange_1"}, aggregate(5)
    )


def ids(record: dict[str, Any]) -> dict[str, int]:
    return {name: operator["id"] for name, operator in record["operators"].items()}


def test_operators_are_named_after_their_tables() -> None:
    assert list(stateful(plan(aggregate(2)))) == [SOURCE, COUNT, SINK]


def test_an_added_node_takes_no_number_from_an_operator_with_state() -> None:
    before = recorded(plan(aggregate(2)), None)
    after = recorded(plan(calc(2), aggregate(3)), before)
    assert after == before
    done = numbered(plan(calc(2), aggregate(3)), after)
    assert {name: found["id"] for name, found in stateful(done).items()} == ids(before)
    assert len({node["id"] for node in done["nodes"]}) == 4
    linked = {number for edge in done["edges"] for number in edge.values()}
    assert linked == {node["id"] for node in done["nodes"]}


@pytest.mark.parametrize(
    "harmless",
    [
        aggregate(2, state=[{"index": 0, "ttl": "50 h", "name": "groupState"}]),
        aggregate(2, description="another text", configuration={"table.exec.mini-batch.size": "7"}),
    ],
    ids=["the state's lifetime", "what only describes it"],
)
def test_changes_that_state_does_not_depend_on_keep_the_numbers(harmless: dict[str, Any]) -> None:
    before = recorded(plan(aggregate(2)), None)
    assert ids(recorded(plan(harmless), before)) == ids(before)


@pytest.mark.parametrize(
    "other",
    [
        aggregate(2, grouping=[0]),
        aggregate(2, grouping=[1, 0]),
        aggregate(2, key=KEY.replace("article_id", "user_id")),
        aggregate(2, key=KEY.replace("VARCHAR(2147483647)", "BIGINT")),
        aggregate(2, type="stream-exec-group-aggregate_1"),
        aggregate(
            2, aggCalls=[{"name": "clicks", "internalName": "$SUM$1", "argList": [1], "type": "BIGINT"}]
        ),
        aggregate(2, needRetraction=True),
    ],
    ids=[
        "the key",
        "the order of the key",
        "another column",
        "a type of the key",
        "the operator",
        "what is added up",
        "retractions",
    ],
)
def test_state_that_cannot_be_read_gives_every_operator_a_number_never_used(other: dict[str, Any]) -> None:
    before = recorded(plan(aggregate(2)), None)
    after = recorded(plan(other), before)
    assert not set(ids(after).values()) & set(ids(before).values())
    back = recorded(plan(aggregate(2)), after)
    assert not set(ids(back).values()) & {*ids(before).values(), *ids(after).values()}


def test_a_key_with_another_meaning_but_the_same_types_renumbers_every_operator() -> None:
    before = recorded(plan(aggregate(2)), None)
    after = recorded(plan(aggregate(2)), before, counts=sink(2))
    assert not set(ids(after).values()) & set(ids(before).values())
    assert ids(recorded(plan(aggregate(2)), after, counts=sink(2))) == ids(after)


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (sink(1, "minute"), 2),
        (sink(1, "article_id", "minute"), 2),
        ({**sink(1), "grain_seconds": 10}, 2),
        (sink(0), 1),
    ],
    ids=["a column less", "another order", "another window", "a former generation"],
)
def test_another_key_in_a_generation_that_was_deployed_is_refused(now: dict[str, Any], wanted: int) -> None:
    before = recorded(plan(aggregate(2)), None)
    with pytest.raises(OperatorsError, match=f"give the sink generation {wanted} in contract"):
        recorded(plan(aggregate(2)), before, counts=now)


def test_another_key_in_a_new_generation_is_recorded() -> None:
    before = recorded(plan(aggregate(2)), None)
    after = recorded(plan(aggregate(2)), before, counts=sink(2, "minute"))
    assert after["sinks"]["click-counts"] == sink(2, "minute")


def test_the_sinks_are_recorded() -> None:
    record = read_record(SQL_FOLDER)
    assert record, "run `make operators`"
    assert {**record["sinks"], **sinks_here()} == record["sinks"], "run `make operators`"
    written = {name.removeprefix("sink ") for name in record["operators"] if name.startswith("sink ")}
    assert written == {*(sink.table for sink in SINKS), REJECTS_TABLE}, "run `make operators`"


def test_the_key_of_a_sink_that_is_gone_is_remembered() -> None:
    before = recorded(plan(aggregate(2)), None)
    gone = recorded_with(plan(aggregate(2)), before, sinks={})
    with pytest.raises(OperatorsError, match="give the sink generation 2"):
        recorded(plan(aggregate(2)), gone, counts=sink(1, "minute"))


def test_another_window_is_another_key_though_its_type_is_the_same() -> None:
    before = recorded(two_steps("MINUTE"), None)
    assert before["operators"][COUNT]["state"]["key"] == [
        "minute TIMESTAMP(3) WITH LOCAL TIME ZONE = $FLOOR$1(event_time, MINUTE)",
        "article_id VARCHAR(2147483647)",
    ]
    after = recorded(two_steps("HOUR"), before)
    assert not set(ids(after).values()) & set(ids(before).values())


def test_the_content_of_a_text_column_does_not_change_the_key() -> None:
    before = recorded(two_steps("MINUTE"), None)
    assert recorded(two_steps("MINUTE", article="none"), before) == before


def test_aggregating_another_column_of_the_same_type_is_another_state() -> None:
    def added_up(column: int) -> Plan:
        call = {"name": "a", "internalName": "$MAX$1", "argList": [column], "type": "VARCHAR(2147483647)"}
        both = KEY.replace(">", ", `title` VARCHAR(2147483647)>")
        return plan(aggregate(2, key=both, aggCalls=[call]))

    before = recorded(added_up(1), None)
    assert not set(ids(recorded(added_up(2), before)).values()) & set(ids(before).values())


def two_queries() -> Plan:
    both = plan(aggregate(2))
    second = plan(aggregate(12), sink="platform_counts")
    both["nodes"] += [
        {**node, "id": node["id"] + 10 if node["id"] < 10 else node["id"]} for node in second["nodes"][1:]
    ]
    both["edges"] += [{"source": 1, "target": 12}, {"source": 12, "target": 13}]
    return both


TWO_SINKS = {"click-counts": sink(1), "platform-counts": sink(1)}


def test_a_second_query_keeps_the_state_of_the_first() -> None:
    before = recorded(plan(aggregate(2)), None)
    after = ids(recorded(two_queries(), before))
    assert {name: after[name] for name in ids(before)} == ids(before)
    assert after["groupState of platform_counts"] >= before["next"]


def test_a_removed_query_is_recorded_and_the_others_keep_their_numbers() -> None:
    before = recorded_with(two_queries(), None, sinks=TWO_SINKS)
    after = recorded(plan(aggregate(2)), before)
    assert ids(after).items() <= ids(before).items()
    gone = {"groupState of platform_counts", "sink platform_counts"}
    assert after["removed"] == {str(ids(before)[name]): name for name in gone}
    assert recorded(plan(aggregate(2)), after) == after


def test_a_returning_query_needs_its_own_indices_but_no_new_numbers() -> None:
    before = recorded_with(two_queries(), None, sinks=TWO_SINKS)
    without = recorded(plan(aggregate(2)), before)
    with pytest.raises(OperatorsError, match="platform-counts comes back: give the sink generation 2"):
        recorded_with(two_queries(), without, sinks=TWO_SINKS)
    again = recorded_with(two_queries(), without, sinks={**TWO_SINKS, "platform-counts": sink(2)})
    assert ids(without).items() <= ids(again).items()
    assert not set(ids(again).values()) & {int(number) for number in without["removed"]}
    assert again["removed"] == without["removed"]


def test_renamed_operators_lose_their_state_and_all_start_anew() -> None:
    before = recorded(plan(aggregate(2)), None)
    source = plan(aggregate(2))
    source["nodes"][0]["scanTableSource"] = table("clicked")
    for renamed in (source, plan(aggregate(2), sink="counted_clicks")):
        after = recorded(renamed, before)
        assert not set(ids(after).values()) & set(ids(before).values())
        assert after["removed"] == {}


def test_a_plan_that_is_not_recorded_does_not_start() -> None:
    record = recorded(plan(aggregate(2)), None)
    with pytest.raises(OperatorsError, match="make operators"):
        numbered(plan(aggregate(2, grouping=[0])), record)


def test_numbering_changes_nothing_but_numbers() -> None:
    before = plan(aggregate(2), calc(3))
    kept = copy.deepcopy(before)
    done = numbered(before, recorded(before, None))
    assert before == kept
    assert [node["type"] for node in done["nodes"]] == [node["type"] for node in before["nodes"]]


def test_two_operators_of_one_name_are_refused() -> None:
    twice = plan(aggregate(2))
    twice["nodes"].append({"id": 9, "type": "source", "scanTableSource": table("clicks")})
    with pytest.raises(OperatorsError, match="source clicks"):
        stateful(twice)


def over(number: int, *, columns: str = CLICK) -> dict[str, Any]:
    """Counts the clicks of each article; Flink's plan names no state of it."""
    call = {"name": f"w{number}$o0", "internalName": "$COUNT$1", "argList": [], "type": "BIGINT NOT NULL"}
    return {
        "id": number,
        "type": "stream-exec-over-aggregate_1",
        "overSpec": {
            "partition": {"fields": [1]},
            "groups": [{"orderBy": {"fields": [{"index": number}]}, "isRows": False, "aggCalls": [call]}],
        },
        "outputType": columns,
    }


OVER = "overAggregateState by article_id"


def optional(last: Record | None) -> Record:
    """With an OVER that a setting adds before the counts."""
    with_it = plan(over(2), aggregate(3))
    return recorded_with(with_it, last, sinks={"click-counts": sink(1)}, least=plan(aggregate(2)))


def test_an_operator_that_a_setting_adds_keeps_the_numbers_of_the_others() -> None:
    before = recorded(plan(aggregate(2)), None)
    after = optional(before)
    assert ids(after) == ids(before) | {OVER: before["next"]}
    assert [name for name, operator in after["operators"].items() if operator.get("optional")] == [OVER]
    assert optional(after) == after
    for running, names in ((plan(aggregate(2)), ids(before)), (plan(over(2), aggregate(3)), ids(after))):
        done = stateful(numbered(running, after))
        assert {name: found["id"] for name, found in done.items()} == names


def test_an_operator_that_no_setting_removes_must_be_there() -> None:
    required = recorded(plan(over(2), aggregate(3)), None)
    with pytest.raises(OperatorsError, match=r"operators\.json does not match the SQL"):
        numbered(plan(aggregate(2)), required)


def test_columns_beside_its_key_and_its_place_do_not_change_the_state_of_an_over() -> None:
    wider = CLICK.replace(">", ", `platform` VARCHAR(2147483647)>")
    one, other = (
        stateful(plan(*nodes))[OVER]["state"] for nodes in ([over(2)], [calc(2), over(3, columns=wider)])
    )
    assert one == other


def test_a_setting_may_not_change_the_state_of_what_is_always_there() -> None:
    with pytest.raises(OperatorsError, match="a setting changes the state of other operators"):
        recorded_with(
            plan(over(2), aggregate(3, grouping=[1])),
            None,
            sinks={"click-counts": sink(1)},
            least=plan(aggregate(2)),
        )
