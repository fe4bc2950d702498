"""Makes docs/reference/metrics.md: every metric that our functions publish, from the modules that name them.

python -m operations.metrics_page > docs/reference/metrics.md
"""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION

LAMBDAS = Path(__file__).parents[1] / "lambdas"
METRICS_MODULES = sorted(set(LAMBDAS.glob("*/metrics.py")) - {LAMBDAS / "shared" / "metrics.py"})
HEAD = f"""# Metrics

This page lists the metrics of our functions, for whoever reads a graph or an alarm. They are in the
CloudWatch namespace `{NAMESPACE}` with the dimension `{SERVICE_DIMENSION}`, the function's name.
[Flow limits](flow_limits.md) has the alarms, [analytics](analytics.md#metrics-of-the-segments) the metrics of
the segments, which Flink publishes. `make docs` generates this page from `lambdas/`.
"""


def metrics_in(module: Path) -> Iterator[tuple[str, str]]:
    """(name, meaning) of each constant with a docstring."""
    body = ast.parse(module.read_text(encoding="utf-8")).body
    for constant, text in itertools.pairwise(body):
        match constant, text:
            case (
                ast.Assign(value=ast.Constant(value=str(name))),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                yield name, meaning


def page() -> str:
    tables = []
    for module in METRICS_MODULES:
        rows = [f"| `{name}` | {meaning} |" for name, meaning in metrics_in(module)]
        function = f"click-trends-<environment>-{module.parent.name}"
        head = [f"## `{SERVICE_DIMENSION}` `{function}`", "", "| metric | meaning |", "|---|---|"]
        tables.append("\n".join([*head, *rows, ""]))
    return "\n".join([HEAD, *tables])


if __name__ == "__main__":
    print(page(), end="")
