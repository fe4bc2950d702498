"""The report as JSON, for other programs."""

import json
from typing import Any

from operations.review.findings import Finding
from operations.review.report import Report
from operations.review.verdict import verdict


def as_json(report: Report) -> str:
    """verdict, findings by group, every changed value of every resource, settings, dependencies."""
    return json.dumps(_content(report), indent=2, ensure_ascii=False) + "\n"


def _content(report: Report) -> dict[str, Any]:
    changes = report.changes
    return {
        "environment": report.environment,
        "base": report.base.name,
        "commits_of_base_that_head_lacks": report.base.ahead,
        "head": report.head.name,
        "verdict": verdict(report),
        "kinds": sorted({finding.kind.value for finding in report.findings}),
        "findings": {
            group: [_finding(finding) for finding in getattr(report, group)]
            for group in ("data", "places", "access", "effects", "alarms", "sql", "unknown", "compared")
        },
        "resources": [
            {
                "stack": change.stack.name,
                "logical_id": change.logical_id,
                "type": change.type,
                "impact": change.impact,
                "values": [{"path": v.path, "old": v.old, "new": v.new} for v in change.values],
            }
            for change in changes.resources
        ],
        "templates": [
            {"stack": other.stack.name, "path": other.path, "old": other.old, "new": other.new}
            for other in changes.others
        ],
        "code": [{"of": asset.title, "files": list(asset.files)} for asset in changes.assets],
        "added_stacks": [stack.name for stack in changes.added_stacks],
        "removed_stacks": [stack.name for stack in changes.removed_stacks],
        "settings": [
            {
                "key": change.key,
                "old": change.old.value if change.old else None,
                "new": change.new.value if change.new else None,
                "meaning": change.meaning,
            }
            for change in report.settings
        ],
        "acknowledgements": list(report.acknowledgements),
        "figures": {title: [list(row) for row in rows] for title, rows in report.figures.items()},
        "dependencies": [vars(change) for change in report.dependencies],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"kind": finding.kind.value, "text": finding.text, "details": list(finding.details)}
