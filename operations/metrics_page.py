"""Makes docs/reference/metrics.md: every metric that our functions publish, from the modules that name them,
and those of the application's decoder of clicks, from its Javadoc.

python -m operations.metrics_page > docs/reference/metrics.md
"""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION

LAMBDAS = Path(__file__).parents[1] / "lambdas"
METRICS_MODULES = sorted(set(LAMBDAS.glob("*/metrics.py")) - {LAMBDAS / "shared" / "metrics.py"})
DECODER = Path(__file__).parents[1] / "connectors/src/main/java/clicktrends/json/ReadMetrics.java"
DECODED_TABLE = "clicks"
"""With its name the names of the decoder's metrics begin (analytics_sql/10_clicks.sql)."""
HEAD = f"""# Metrics

This page lists the metrics of our functions and of the application's decoder, for whoever reads a graph or an
alarm. Those of a function are in the CloudWatch namespace `{NAMESPACE}` with the dimension
`{SERVICE_DIMENSION}`, its name. [Flow limits](flow_limits.md) has the alarms,
[analytics](analytics.md#metrics-of-the-segments) the metrics of the segments. `make docs` generates this page
from `lambdas/` and `{DECODER.name}`.
"""
DECODER_HEAD = """## `Application` `click-trends-<environment>-analytics`

In the namespace `AWS/KinesisAnalytics`. Each task reports its own and begins anew with each start: do not add
counters up, and take the Maximum of the percent. Other dimensions may stand beside `Application`; a Metrics
Insights query finds them all.
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


def metrics_of_decoder(source: Path = DECODER) -> Iterator[tuple[str, str]]:
    """(name, meaning) of each entry in the list of its Javadoc."""
    text = re.sub(r"^ \* ?", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for what, meaning in re.findall(r"<li>\{@code \.\.\.(\w+)\}: (.+?)(?=<li>|</ul>)", text, re.DOTALL):
        words = " ".join(meaning.split())
        yield f"{DECODED_TABLE}{what}", f"{words[0].upper()}{words[1:].removesuffix('.')}."


def _table(metrics: Iterator[tuple[str, str]]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in metrics]
    return "\n".join(["| metric | meaning |", "|---|---|", *rows, ""])


def page() -> str:
    parts = [HEAD]
    for module in METRICS_MODULES:
        function = f"click-trends-<environment>-{module.parent.name.replace('_', '-')}"
        parts += [f"## `{SERVICE_DIMENSION}` `{function}`\n", _table(metrics_in(module))]
    return "\n".join([*parts, DECODER_HEAD, _table(metrics_of_decoder())])


if __name__ == "__main__":
    print(page(), end="")
