"""Metric math, as far as the templates' alarms use it: arithmetic, comparisons, AND, OR, IF, FILL and DIFF.

The CloudWatch user guide, "Using math expressions with CloudWatch metrics"
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html): an operation on two
series has a datapoint where both have one, a comparison is 1 or 0, FILL replaces missing datapoints, DIFF is
the difference from the preceding datapoint. That FILL also fills a metric without any datapoint is how the
templates' alarms use it; the guide does not say.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

Series = Sequence[float | None]
"""A value for each period, the oldest first; None where a datapoint is missing."""
Value = Series | float

_WORDS = {"AND": "and", "OR": "or"}
_OPERATORS: dict[type[ast.operator] | type[ast.cmpop] | type[ast.boolop], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}


def evaluated(expression: str, series: Mapping[str, Series], periods: int) -> Series:
    """The expression in each period. series: by id, each with `periods` values.

    Raises ValueError for what is not known here.
    """
    python = re.sub(r"\b(AND|OR)\b", lambda word: _WORDS[word[1]], expression)
    try:
        tree = ast.parse(python.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"cannot read the metric math {expression!r}: {error.msg}") from error
    value = _Evaluator(expression, series).value(tree)
    return [value] * periods if isinstance(value, int | float) else value


class _Evaluator:
    def __init__(self, expression: str, series: Mapping[str, Series]) -> None:
        self._expression = expression
        self._series = series

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name) if name in self._series:
                return self._series[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._operation(op, left, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return self._operation(op, left, right)
            case ast.BoolOp(op=op, values=operands):
                return self._operation(op, *operands)
            case ast.Call(func=ast.Name(id=name), args=arguments) if (name, len(arguments)) in _FUNCTIONS:
                return _FUNCTIONS[name, len(arguments)](*map(self.value, arguments))
        raise ValueError(
            f"the twin does not evaluate {ast.unparse(node)!r} of the metric math {self._expression!r}:"
            " add it to twin/alarms/expressions.py"
        )

    def _operation(self, op: ast.operator | ast.cmpop | ast.boolop, *operands: ast.expr) -> Value:
        found, *others = map(self.value, operands)
        for other in others:
            found = _each(_OPERATORS[type(op)], found, other)
        return found


def _each(function: Callable[..., float], *values: Value) -> Value:
    """The function in each period in which no value is missing; a division by zero gives no datapoint."""
    lengths = {len(value) for value in values if isinstance(value, Sequence)}
    if not lengths:
        return float(function(*values))
    [length] = lengths
    columns = [value if isinstance(value, Sequence) else [value] * length for value in values]

    def at(row: tuple[float | None, ...]) -> float | None:
        if None in row:
            return None
        try:
            return float(function(*row))
        except ZeroDivisionError:
            return None

    return [at(row) for row in zip(*columns, strict=True)]


def _filled(series: Value, filling: Value) -> Value:
    if not isinstance(series, Sequence) or isinstance(filling, Sequence):
        raise ValueError("FILL takes a series and a number")
    return [filling if value is None else value for value in series]


def _differences(series: Value) -> Value:
    if not isinstance(series, Sequence):
        raise ValueError("DIFF takes a series")
    before: float | None = None
    found: list[float | None] = []
    for value in series:
        found.append(None if value is None or before is None else value - before)
        before = before if value is None else value
    return found


def _chosen(condition: Value, true: Value, false: Value) -> Value:
    return _each(lambda condition, true, false: true if condition else false, condition, true, false)


_FUNCTIONS: dict[tuple[str, int], Callable[..., Value]] = {
    ("IF", 3): _chosen,
    ("FILL", 2): _filled,
    ("DIFF", 1): _differences,
}
"""By name and number of arguments."""
