"""The numbers of the job's stateful operators, by which an upgrade finds its state, and the key of each sink,
so that counts of two keys never meet.

Flink finds an operator's state by its id, and numbers the nodes of a plan as it compiles them: with one more
node before the counts, their state would not be found. operators.json keeps the numbers of the last release.
The job's plan is compiled at each start from the current properties, and numbered by it.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = "operators.json"

Plan = dict[str, Any]
"""What COMPILE PLAN writes: nodes, edges."""
Record = dict[str, Any]
"""`next`: the first number that was never given; `sinks`: by the name of their index family in generation 1,
each with its `generation`, its `key` and the seconds that a count spans, and those of former releases as
`gone`; `operators`: by name, each with its `id` and the signature of its `state`. The state of a source
(where it stands) and of a sink (what is not delivered) has none; `optional` is true for one that only runs
with a setting; `removed`: by number, the names of operators
that releases took away since the state was last begun anew."""
Sinks = Mapping[str, Mapping[str, Any]]
"""As in a record."""

WHERE_GENERATIONS_ARE = "in contract/sink.py (of click-counts in contract/count.py)"
_TABLE = re.compile(r"`([^`]+)`$")
_FIELD = re.compile(r"`([^`]*)` ")
_PASSING_ON = ("stream-exec-exchange", "stream-exec-mini-batch-assigner")
_CALLED = ("internalName", "systemName", "catalogName", "syntax")


class OperatorsError(Exception):
    """The job's plan does not match operators.json; the message says what to do."""


def stateful(plan: Plan) -> dict[str, dict[str, Any]]:
    """Operators with state by name (`source clicks`, `sink click_counts`, `... of click_counts`): their id
    and the signature of their state, None for sources and sinks. Raises OperatorsError if two share a
    name."""
    found: dict[str, dict[str, Any]] = {}
    for node in plan["nodes"]:
        for name in _names(node, plan):
            if name in found:
                raise OperatorsError(f"two operators are named '{name}': give their tables different names")
            kept = "state" in node or "overSpec" in node
            found[name] = {"id": node["id"], "state": _signature(node, plan) if kept else None}
    return found


def recorded(plan: Plan, last: Record | None, *, sinks: Sinks, least: Plan | None = None) -> Record:
    """The record for the next release: the numbers of the last one if the state of all its operators can be
    read, otherwise new numbers for all.

    plan: with all that settings can add; least: without any of it, so that what it lacks is `optional`.
    sinks: as in the record, from contract/. A raised generation means that the key has another meaning, even
    with the same types: ten seconds in place of a minute. Raises OperatorsError if a key or a count's window
    changes, or a sink comes back, without a higher generation: counts of both would be in the same indices.
    Also if a setting changes the state of operators that are always there.

    With new numbers nothing is restored: the source begins at the oldest record of the stream, and counts are
    built again. A source that kept its position, with empty counts behind it, would count too little, and so
    would one with renamed counts; a renamed source would count everything twice. So if operators go and
    others come, all numbers are new.
    """
    now = stateful(plan)
    always = now if least is None else stateful(least)
    if any(now.get(name, {}).get("state", ...) != operator["state"] for name, operator in always.items()):
        raise OperatorsError("a setting changes the state of other operators than those it adds")
    before: dict[str, dict[str, Any]] = last["operators"] if last else {}
    following = last["next"] if last else 1
    gone = {str(operator["id"]): name for name, operator in before.items() if name not in now}
    kept = all(now[name]["state"] == operator["state"] for name, operator in before.items() if name in now)
    kept &= not gone or now.keys() <= before.keys()
    _check_generations(last, sinks)
    kept &= not raised_generations(last, sinks)
    operators = {}
    for name, operator in now.items():
        if kept and name in before:
            number = before[name]["id"]
        else:
            number, following = following, following + 1
        operators[name] = {"id": number, "state": operator["state"]}
        if name not in always:
            operators[name]["optional"] = True
    former = {family: {**sink, "gone": True} for family, sink in (last or {}).get("sinks", {}).items()}
    return {
        "next": following,
        "sinks": {**former, **sinks},
        "operators": operators,
        "removed": {**(last or {}).get("removed", {}), **gone} if kept else {},
    }


def raised_generations(last: Record | None, sinks: Sinks) -> list[str]:
    """Sinks of the last release whose generation has changed."""
    return [
        family
        for family, sink in (last or {}).get("sinks", {}).items()
        if family in sinks and "gone" not in sink and sinks[family]["generation"] != sink["generation"]
    ]


def _check_generations(last: Record | None, sinks: Sinks) -> None:
    for family, sink in (last or {}).get("sinks", {}).items():
        now, generation = sinks.get(family, sink), sink["generation"]
        counted_by, counted_by_before = (
            {name: value for name, value in one.items() if name not in {"generation", "gone"}}
            for one in (now, sink)
        )
        comes_back = "gone" in sink and family in sinks
        needed = generation + (comes_back or counted_by != counted_by_before)
        if now["generation"] < needed and comes_back:
            raise OperatorsError(
                f"{family} comes back: give the sink generation {needed} {WHERE_GENERATIONS_ARE}. Its former "
                "documents have larger counts than the new ones, which start at 1 and would be refused "
                "(docs/start/changing_the_query.md)"
            )
        if now["generation"] < needed:
            raise OperatorsError(
                f"{family} counts by {counted_by}, and by {counted_by_before} in generation {generation}: "
                f"give the sink generation {needed} {WHERE_GENERATIONS_ARE}, or documents of two "
                "keys would meet in one index and every click count twice (docs/start/changing_the_query.md)"
            )


def numbered(plan: Plan, record: Record) -> Plan:
    """The plan with its stateful operators numbered as recorded, and all others above them.

    Raises OperatorsError if an operator's state differs from the record: what happens to state must be
    decided before a release, not at its start.
    """
    now = stateful(plan)
    if {name: operator["state"] for name, operator in now.items()} != {
        name: operator["state"]
        for name, operator in record["operators"].items()
        if name in now or not operator.get("optional")
    }:
        raise OperatorsError(
            f"{FILE} does not match the SQL: run `make operators` and commit the result; `make review` then "
            "says what becomes of the running state"
        )
    numbers = {operator["id"]: record["operators"][name]["id"] for name, operator in now.items()}
    following = record["next"]
    for node in plan["nodes"]:
        if node["id"] not in numbers:
            numbers[node["id"]], following = following, following + 1
    result = copy.deepcopy(plan)
    for node in result["nodes"]:
        node["id"] = numbers[node["id"]]
    for edge in result["edges"]:
        edge["source"], edge["target"] = numbers[edge["source"]], numbers[edge["target"]]
    return result


def read_record(folder: Path) -> Record | None:
    """The record beside the SQL in `folder`; None before the first release."""
    file = folder / FILE
    record: Record | None = json.loads(file.read_text("utf-8")) if file.is_file() else None
    return record


def write_record(record: Record, folder: Path) -> None:
    (folder / FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _names(node: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    if "scanTableSource" in node:
        yield f"source {_table(node['scanTableSource'])}"
    elif "dynamicTableSink" in node:
        yield f"sink {_table(node['dynamicTableSink'])}"
    elif "state" in node:
        states = " and ".join(state["name"] for state in node["state"])
        yield f"{states} of {', '.join(sorted(_sinks_after(node['id'], plan)))}"
    elif "overSpec" in node:  # Flink's plan does not say that it has state; all sinks may be after it
        yield f"overAggregateState by {', '.join(name for name, _ in _partition(node))}"


def _table(table: Mapping[str, Any]) -> str:
    match = _TABLE.search(table["table"]["identifier"])
    if not match:
        raise OperatorsError(f"the plan names a table as {table['table']['identifier']!r}")
    return match[1]


def _sinks_after(node_id: int, plan: Plan) -> set[str]:
    nodes = {node["id"]: node for node in plan["nodes"]}
    reached, waiting = set(), [node_id]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting += [edge["target"] for edge in plan["edges"] if edge["source"] == current]
    return {_table(nodes[one]["dynamicTableSink"]) for one in reached if "dynamicTableSink" in nodes[one]}


def _signature(node: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """What decides whether state can be read and means the same: the kind of operator, its key, and its
    aggregates, but not the state's lifetime. For other nodes than aggregations it is the whole node.

    Flink finds a count by the bytes of its key alone. If two columns of one type change places, or hours
    replace minutes, it restores the state without an error and counts under wrong keys. So each column of the
    key has its name here, and a column that is not text also its expression. The content of a text column may
    change: another text is another key, in the state as in the index.
    """
    if "overSpec" in node:  # its columns beside the key are not in the state
        groups = [
            {**group, "orderBy": None, "aggCalls": [{**call, "name": None} for call in group["aggCalls"]]}
            for group in node["overSpec"]["groups"]
        ]
        key = [" ".join(column) for column in _partition(node)]
        return {"type": node["type"], "key": key, "groups": groups}
    if "grouping" not in node or "aggCalls" not in node:
        ours = {"id", "description", "inputProperties", "configuration"}
        return {key: value for key, value in node.items() if key not in ours}
    fields = _fields(node.get("localAggInputRowType") or node["outputType"])
    return {
        "type": node["type"],
        "key": [
            f"{name} {kind}" + ("" if "CHAR" in kind else _origin(node, column, plan))
            for column in node["grouping"]
            for name, kind in [fields[column]]
        ],
        "calls": [
            {
                **{key: value for key, value in call.items() if key not in {"name", "argList"}},
                "arguments": [fields[column][0] for column in call["argList"]],
            }
            for call in node["aggCalls"]
        ],
        "retractions": [node.get("needRetraction"), node.get("aggCallNeedRetractions")],
    }


def _partition(node: Mapping[str, Any]) -> list[tuple[str, str]]:
    fields = _fields(node["outputType"])
    return [fields[column] for column in node["overSpec"]["partition"]["fields"]]


def _origin(node: Mapping[str, Any], column: int, plan: Plan) -> str:
    """` = $FLOOR$1(event_time, MINUTE)`, or nothing for a column that no projection computes."""
    nodes = {one["id"]: one for one in plan["nodes"]}
    while True:
        before = [nodes[edge["source"]] for edge in plan["edges"] if edge["target"] == node["id"]]
        if len(before) != 1:
            return ""
        (node,) = before
        if "projection" in node:
            expression = node["projection"][column]
            if expression["kind"] != "INPUT_REF":
                (source,) = [nodes[edge["source"]] for edge in plan["edges"] if edge["target"] == node["id"]]
                return f" = {_expression(expression, _fields(source['outputType']))}"
            column = expression["inputIndex"]
        elif "grouping" in node:
            column = node["grouping"][column]
        elif not node["type"].startswith(_PASSING_ON):
            return ""


def _expression(expression: Mapping[str, Any], fields: list[tuple[str, str]]) -> str:
    match expression:
        case {"kind": "INPUT_REF", "inputIndex": column}:
            return fields[int(column)][0]
        case {"kind": "LITERAL", "value": value}:
            return str(value)
        case {"kind": "CALL", "operands": operands}:
            name = next(str(expression[key]) for key in _CALLED if key in expression)
            return f"{name}({', '.join(_expression(operand, fields) for operand in operands)})"
    return json.dumps(expression, sort_keys=True)


def _fields(row: Any) -> list[tuple[str, str]]:
    """Name and type from `ROW<`a` BIGINT, `b` VARCHAR(10)>`, or from the same as an object."""
    if isinstance(row, Mapping):
        return [(str(field["name"]), str(field["fieldType"])) for field in row["fields"]]
    inner = str(row).removeprefix("ROW<").removesuffix(" NOT NULL").removesuffix(">")
    _, *rest = _FIELD.split(inner)
    return [(name, kind.strip().removesuffix(",")) for name, kind in zip(rest[::2], rest[1::2], strict=True)]
