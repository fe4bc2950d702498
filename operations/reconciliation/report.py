"""What a reconciliation found: as text for a person, as JSON for a program."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contract.event_time import format_time
from contract.sink import UNPARSEABLE
from lambdas.reconciliation.differences import Difference, differences
from lambdas.reconciliation.outcomes import WindowOutcome
from lambdas.reconciliation.result import ReconciledHours


def needs_action(days: Sequence[ReconciledHours]) -> int:
    """Clicks of final minutes, and objects, that nothing explains."""
    return sum(day.unexplained for day in days)


def not_known(days: Sequence[ReconciledHours]) -> int:
    """Clicks of minutes of which it is unknown whether they are final."""
    return sum(day.not_known for day in days)


def as_text(days: Sequence[ReconciledHours]) -> str:
    reasons = sum((each.rejected for day in days for each in day.outcomes), Counter[str]())
    unparseable = reasons.pop(UNPARSEABLE, 0)
    letters = sum((day.left_in_tokyo.dead_letters for day in days), Counter[str]())
    rows = [
        ("received", _range(days), "in the raw backup, and erased since"),
        ("counted", _number(sum(day.counted for day in days)), ""),
        ("rejected", _number(reasons.total()), _reasons(reasons)),
        ("unparseable", _number(unparseable), "rests of lines, by the hour of delivery"),
        ("waiting", _number(_sum(days, "waiting")), "in counts that redelivery has"),
        ("given up", _number(_sum(days, "given_up")), "in counts that redelivery gave up"),
        ("missing", _number(_sum(days, "missing")), ""),
        ("surplus", _number(_sum(days, "surplus")), ""),
        ("left in Tokyo", _number(sum(day.left_in_tokyo.clicks for day in days)), _reasons(letters)),
    ]
    lines = [f"{name:<14}{number:>16}  {remark}".rstrip() for name, number, remark in rows]
    if both := _sum(days, "counted_and_rejected"):
        lines.append(f"{_number(both)} clicks are counted that were rejected at another reading.")
    provisional = [each for day in days for each in day.outcomes if not each.is_final]
    if provisional:
        first = min(each.start for each in provisional)
        lines.append(f"Provisional from {_time(first)} on:")
        lines += [f"    {reason}" for reason in dict.fromkeys(each.pending for each in provisional)]
        lines += [
            f"    ({problem})" for problem in dict.fromkeys(day.reading.problem for day in days) if problem
        ]
    for day in days:
        for each in day.repetitions:
            lines.append(f"{each.first} and {each.second} share {_number(each.clicks)} clicks.")
        if day.not_received:
            lines.append(
                f"{_number(day.not_received.total())} rejects are of clicks that arrived at another time."
            )
        lines += [line for each in differences(day) for line in _lines(each)]
    return "\n".join([*lines, ""])


def _lines(difference: Difference) -> list[str]:
    number = f"{_number(abs(difference.clicks))} {'missing' if difference.clicks < 0 else 'too many'}: "
    span = f"{_time(difference.since)} to {_time(difference.until)}"
    return [
        f"{span}: {number if difference.clicks else ''}{difference.cause}",
        *(f"    {key}" for key in difference.objects),
    ]


def _range(days: Sequence[ReconciledHours]) -> str:
    least, most = _sum(days, "least"), _sum(days, "most")
    return _number(most) if least == most else f"{_number(least)}-{_number(most)}"


def _sum(days: Sequence[ReconciledHours], name: str) -> int:
    return sum(getattr(each, name) for day in days for each in day.outcomes)


def _number(number: int) -> str:
    return f"{number:,}"


def _reasons(reasons: Counter[str]) -> str:
    return ", ".join(f"{_number(number)} {reason}" for reason, number in reasons.most_common() if number)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def as_json(days: Sequence[ReconciledHours]) -> dict[str, Any]:
    """Minutes without clicks and counts are left out."""
    return {
        "since": format_time(days[0].since),
        "until": format_time(days[-1].until),
        "unexplained": needs_action(days),
        "minutes": [_outcome(each) for day in days for each in day.windows],
        "without_time": [_outcome(each) for day in days for each in day.hours],
        "left_in_tokyo": {
            "dead_letters": sum((day.left_in_tokyo.dead_letters for day in days), Counter[str]()),
            "failed_batches": sum(day.left_in_tokyo.failed_batches for day in days),
        },
        "rejects_of_another_time": sum((day.not_received for day in days), Counter[str]()),
        "repetitions": [
            {"objects": [each.first, each.second], "clicks": each.clicks}
            for day in days
            for each in day.repetitions
        ],
        "differences": [
            {
                "since": format_time(each.since),
                "until": format_time(each.until),
                "clicks": each.clicks,
                "cause": each.cause,
                "explained": each.is_explained,
                "final": each.is_final,
                "objects": each.objects,
            }
            for day in days
            for each in differences(day)
        ],
    }


def _outcome(outcome: WindowOutcome) -> dict[str, Any]:
    return {
        "start": format_time(outcome.start),
        "final": outcome.is_final,
        "pending": outcome.pending,
        "received": [outcome.least, outcome.most],
        "counted": outcome.counted,
        "rejected": outcome.rejected,
        "counted_and_rejected": outcome.counted_and_rejected,
        "waiting": outcome.waiting,
        "given_up": outcome.given_up,
        "missing": outcome.missing,
        "surplus": outcome.surplus,
    }
