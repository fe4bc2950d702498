"""Has Flink compile each projection of the plan as one Java method.

Flink cuts a generated method of more than 4,000 characters in pieces, and turns all its variables into fields
so that the pieces share them; every click is then written to the heap field by field.
docs/decisions/projections-in-one-method.md has what that costs.
"""

import copy
from typing import Any

PROJECTION = "stream-exec-calc_"
METHOD_LIMIT = {"table.generated-code.max-length": "40000"}
"""Characters. Java's compiler passes over methods of more than 8,000 bytes of bytecode; the longest of this
SQL has 35,537 characters of class and 2,860 bytes."""


def in_one_piece(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan with the limit for its projections, as a setting of these nodes, like their mini-batches."""
    result = copy.deepcopy(plan)
    for node in result["nodes"]:
        if node["type"].startswith(PROJECTION):
            node["configuration"] = {**node.get("configuration", {}), **METHOD_LIMIT}
    return result
