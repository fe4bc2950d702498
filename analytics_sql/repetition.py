"""How long a click id is remembered, where repeated click ids are dropped.

The plan has no lifetime of its own for an OVER, and takes the configuration of its node: without one, click
ids would live as long as the counts (`table.exec.state.ttl`).
"""

import copy
from typing import Any

OVER = "stream-exec-over-aggregate_"


def remembered(plan: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The plan with a click id kept so long after the last click that had it."""
    result = copy.deepcopy(plan)
    for node in result["nodes"]:
        if node["type"].startswith(OVER):
            node["configuration"] = {**node.get("configuration", {}), "table.exec.state.ttl": f"{seconds} s"}
    return result
