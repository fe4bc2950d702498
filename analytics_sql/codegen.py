"""Makes Flink compile each projection of the plan as one Java method.

Flink splits a generated method of more than 4,000 characters and turns its variables into fields that the
parts share, so every click is written to the heap field by field. docs/decisions/projections-in-one-method.md
has the cost.
"""

import copy
from typing import Any

PROJECTION = "stream-exec-calc_"
METHOD_LIMIT = {"table.generated-code.max-length": "40000"}
"""Characters. The JIT compiler skips methods of more than 8,000 bytes of bytecode; the longest of this SQL
has 35,537 characters of class and 2,860 bytes."""


def in_one_piece(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan with this limit set on its projections, in the configuration of the nodes."""
    result = copy.deepcopy(plan)
    for node in result["nodes"]:
        if node["type"].startswith(PROJECTION):
            node["configuration"] = {**node.get("configuration", {}), **METHOD_LIMIT}
    return result
