"""What was found, for people and for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from operations.doctor.check import CheckResult, Verdict

NAME_WIDTH = 44
PASSED, LACKING, NOT_LOOKED_AT = 0, 1, 2


def exit_code(findings: Iterable[CheckResult]) -> int:
    """0: nothing is lacking; 1: something is; 2: nothing, but something could not be looked at."""
    verdicts = {finding.diagnosis.verdict for finding in findings}
    if Verdict.LACKS in verdicts:
        return LACKING
    return NOT_LOOKED_AT if Verdict.UNKNOWN in verdicts else PASSED


def as_text(findings: Sequence[CheckResult]) -> str:
    lines: list[str] = []
    for where in dict.fromkeys(finding.where for finding in findings):
        lines += ["", where]
        for finding in (one for one in findings if one.where == where):
            diagnosis = finding.diagnosis
            lines.append(f"  {diagnosis.verdict:8}{finding.check:{NAME_WIDTH}}{diagnosis.text}")
            if diagnosis.remedy:
                lines.append(f"  {'':8}{'':{NAME_WIDTH}}-> {diagnosis.remedy}")
    return "\n".join([*lines, "", _summary(findings)])


def _summary(findings: Sequence[CheckResult]) -> str:
    counts = {
        verdict: sum(finding.diagnosis.verdict is verdict for finding in findings) for verdict in Verdict
    }
    words = {
        Verdict.LACKS: "lacking",
        Verdict.UNKNOWN: "not looked at",
        Verdict.WARNING: "to think about",
        Verdict.OK: "fine",
    }
    return ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items())


def as_json(environment: str, findings: Sequence[CheckResult]) -> dict[str, Any]:
    return {
        "environment": environment,
        "exit_code": exit_code(findings),
        "findings": [
            {
                "check": finding.check,
                "where": finding.where,
                "verdict": finding.diagnosis.verdict.value,
                "text": finding.diagnosis.text,
                "remedy": finding.diagnosis.remedy,
            }
            for finding in findings
        ],
    }
