"""What was found, for people and for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from doctor.check import Finding, Verdict

NAME_WIDTH = 44
PASSED, LACKING, NOT_LOOKED_AT = 0, 1, 2


def exit_code(findings: Iterable[Finding]) -> int:
    """0: nothing is lacking; 1: something is; 2: nothing, but something could not be looked at."""
    verdicts = {finding.outcome.verdict for finding in findings}
    if Verdict.LACKS in verdicts:
        return LACKING
    return NOT_LOOKED_AT if Verdict.UNKNOWN in verdicts else PASSED


def as_text(findings: Sequence[Finding]) -> str:
    lines: list[str] = []
    for where in dict.fromkeys(finding.where for finding in findings):
        lines += ["", where]
        for finding in (one for one in findings if one.where == where):
            outcome = finding.outcome
            lines.append(f"  {outcome.verdict:8}{finding.check:{NAME_WIDTH}}{outcome.text}")
            if outcome.remedy:
                lines.append(f"  {'':8}{'':{NAME_WIDTH}}-> {outcome.remedy}")
    return "\n".join([*lines, "", _summary(findings)])


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(finding.outcome.verdict is verdict for finding in findings) for verdict in Verdict}
    words = {
        Verdict.LACKS: "lacking",
        Verdict.UNKNOWN: "not looked at",
        Verdict.WARNING: "to think about",
        Verdict.OK: "fine",
    }
    return ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items())


def as_json(environment: str, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "environment": environment,
        "exit_code": exit_code(findings),
        "findings": [
            {
                "check": finding.check,
                "where": finding.where,
                "verdict": finding.outcome.verdict.value,
                "text": finding.outcome.text,
                "remedy": finding.outcome.remedy,
            }
            for finding in findings
        ],
    }
