"""Prints, as JSON, the methods of each projection that Flink generates for the SQL of this tree, without and
with repeated click ids dropped.

python -m tests.analytics_sql.generated_methods
"""

import json
from collections.abc import Iterator
from typing import Any

from analytics_sql import main
from analytics_sql.codegen import in_one_piece
from analytics_sql.record_operators import tables_here


def projections(transformation: Any) -> Iterator[tuple[str, Any]]:
    """Each projection before and including `transformation`: its name and its generated class."""
    for before in transformation.getInputs():
        yield from projections(before)
    if transformation.getName().startswith("Calc["):
        generated = transformation.getOperatorFactory().getGeneratedClass()
        yield transformation.getName(), generated


def methods(*, once: bool) -> dict[str, list[str]]:
    from pyflink.java_gateway import get_gateway

    tables, inserts = tables_here(main.SQL_FOLDER, once=once)
    java = get_gateway().jvm
    planner = tables._j_tenv
    text = json.dumps(in_one_piece(main.compiled(tables, inserts)))
    plan = planner.loadPlan(java.org.apache.flink.table.api.PlanReference.fromJsonString(text))
    loader = java.java.lang.Thread.currentThread().getContextClassLoader()
    return {
        name: [method.getName() for method in generated.getClass(loader).getDeclaredMethods()]
        for sink in planner.getPlanner().translatePlan(plan.unwrap())
        for name, generated in projections(sink)
    }


if __name__ == "__main__":
    print(json.dumps([methods(once=once) for once in (False, True)]))
