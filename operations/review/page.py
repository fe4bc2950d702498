"""The report as one page of Markdown, for a comment on a pull request."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from cloudformation import at
from operations.review.assembly import ReviewedStack
from operations.review.dependencies import dependency_line
from operations.review.differences import Differences, ResourceChange
from operations.review.display_names import DASHBOARD, TYPE_WORDS, shown, without_account
from operations.review.findings import Finding, Kind
from operations.review.report import Report
from operations.review.settings_changes import setting_line
from operations.review.verdict import verdict

MAX_PAGE_CHARACTERS = 60_000
"""GitHub takes 65,536 in a comment; the YAML diff, then the page's end, are cut where it would be longer."""

_DANGERS = tuple(
    kind
    for kind in Kind
    if kind
    not in {
        Kind.NOTE,
        Kind.COST,
        Kind.LATENCY,
        Kind.ALARM_LOST,
        Kind.NOT_UNDERSTOOD,
        Kind.NOT_ASSESSED,
        Kind.FRESH_STATE,
        Kind.REPLAY,
    }
)


def page(report: Report) -> str:
    """The whole page; sections without content are left out."""
    new = not report.base.exists
    dangers = tuple(kind for kind in _DANGERS if not (new and kind is Kind.ACCESS))
    sections = [
        "\n".join(_head(report)),
        _section("What to look at", _bullets(_by_danger(report.findings, dangers))),
        _section("Not understood: read these yourself", _bullets(report.of(Kind.NOT_UNDERSTOOD))),
        _section("Not assessed: no rule tells what these do", _bullets(report.of(Kind.NOT_ASSESSED))),
        _section("SQL and the running state", _sql(report)),
        _folded("Who may do what", _bullets(_by_danger(report.access, (Kind.ACCESS, Kind.NOTE))))
        if new
        else _section("Other access", _bullets(_by_danger(report.access, (Kind.NOTE,)))),
        _folded("Alarms", _bullets(report.alarms)) if new else _section("Alarms", _bullets(report.alarms)),
        _section("What else the deployment does", _bullets(_notes(report))),
        _section("Cost and latency", _bullets(_by_danger(report.compared, (Kind.LATENCY, Kind.COST)))),
        *(_section(title, _table(rows)) for title, rows in report.figures.items()),
        _section("Settings", [_plain(f"- {setting_line(change, is_new=new)}") for change in report.settings]),
        _folded("Accepted findings of cdk-nag", [_plain(f"- {line}") for line in report.acknowledgements])
        if new
        else _section(
            "Accepted findings of cdk-nag", [_plain(f"- {line}") for line in report.acknowledgements]
        ),
        _section("Dependencies", [_plain(f"- {dependency_line(change)}") for change in report.dependencies]),
        _section("Order of deployment", _order(report)),
        _section("Every resource that changes", _resources(report.changes)),
    ]
    text = _fitting([section for section in sections if section])
    accounts = {stack.account for side in (report.base, report.head) for stack in side.assembly.stacks}
    if len(accounts) == 1:  # where it changes, each ARN says which it is
        text = without_account(text, *accounts)
    # Nothing of the diff is shown where the page itself fills the comment.
    diff = (
        ""
        if new or len(text) > MAX_PAGE_CHARACTERS - 2_500
        else _folded_diff(report, MAX_PAGE_CHARACTERS - len(text))
    )
    return f"{text}\n\n{diff}".strip() + "\n"


def _fitting(sections: Sequence[str]) -> str:
    """As much as a comment takes. The dangerous stands first, so what is cut is at the end."""
    text = "\n\n".join(sections)
    if len(text) <= MAX_PAGE_CHARACTERS:
        return text
    kept = text[: MAX_PAGE_CHARACTERS - 500].rpartition("\n")[0]
    fence = ""
    for line in kept.splitlines():
        if (opened := re.match("`{3,}", line)) and fence in {"", line}:
            fence = "" if fence else opened[0]
    folds = kept.count("<details><summary>") - kept.count("</details>")
    closing = [fence] if fence else []
    return "\n".join(
        [
            kept,
            *closing,
            *["", "</details>"] * folds,
            "",
            f"**Cut here: {len(text) - len(kept):,} characters are missing**, as a comment takes no more. "
            "review.json has everything.",
        ]
    )


def _plain(line: str) -> str:
    """One line whose text cannot become HTML: a `<details>` or `<!--` in it would hide what follows."""
    return re.sub(
        r"(`[^`]*`)|<(?=[a-zA-Z/!?])", lambda found: found[1] or "&lt;", " ".join(line.splitlines())
    )


def _head(report: Report) -> Iterator[str]:
    yield f"# {verdict(report)}"
    yield ""
    if not report.base.exists and report.head.exists:
        yield (
            f"`{report.environment}` does not exist in {report.base.name}: everything below is new, and "
            "compared with nothing."
        )
    elif report.base.exists and not report.head.exists:
        yield (
            f"`environments/{report.environment}.toml` is gone. No deployment deletes what runs: "
            "its stacks stay until someone deletes them."
        )
    else:
        yield (
            f"`{report.environment}`: what deploying {report.head.name} does to what "
            f"{report.base.name} deployed."
        )
    if report.base.ahead:
        yield ""
        yield (
            f"**{report.base.name} has {_counted(report.base.ahead, 'commit')} that {report.head.name} "
            "lacks: their effects appear below as undone.** Merge or rebase before you decide."
        )


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def _folded(title: str, lines: Sequence[str]) -> str:
    summary = f"<details><summary>{title} ({len(lines)})</summary>"
    return "\n".join([summary, "", *lines, "", "</details>"]) if lines else ""


def _by_danger(findings: Iterable[Finding], kinds: Sequence[Kind]) -> list[Finding]:
    chosen = [finding for finding in findings if finding.kind in kinds]
    return sorted(chosen, key=lambda finding: kinds.index(finding.kind))


def _notes(report: Report) -> list[Finding]:
    return [f for group in (report.data, report.places, report.effects) for f in group if f.kind is Kind.NOTE]


def _bullets(findings: Iterable[Finding]) -> list[str]:
    """Findings with the same details are one bullet for the details."""
    lines: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for finding in findings:
        lines.append(_plain(f"- {finding.text}"))
        if finding.details and finding.details not in seen:
            lines += [_plain(f"  - {detail}") for detail in finding.details]
            seen.add(finding.details)
    return lines


def _sql(report: Report) -> list[str]:
    lines = _bullets(report.sql)
    for file in report.sql_diffs:
        fence = max(["``", *re.findall("`+", file.unified)], key=len) + "`"
        lines += ["", f"{fence}diff", *file.unified.splitlines(), fence]
    return lines[1:] if lines[:1] == [""] else lines


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    return ["| | before | after |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


def _order(report: Report) -> list[str]:
    """Only the stacks that the deployment touches; one stack has no order."""
    touched = {change.stack.name for change in report.changes.resources}
    touched |= {change.stack.name for change in report.changes.others}
    touched |= {
        stack.name
        for stack in report.changes.new.stacks
        for asset in report.changes.assets
        if any(own.title == asset.title for own in stack.assets)
    }
    stacks = [stack for stack in report.changes.new.stacks if stack.name in touched]
    if len(stacks) < 2:
        return []
    return [f"{place}. {stack.title} ({stack.region})" for place, stack in enumerate(stacks, start=1)]


def _resources(changes: Differences) -> list[str]:
    lines = []
    for stack in changes.new.stacks:
        own = [change for change in changes.resources if change.stack.name == stack.name]
        others = [change for change in changes.others if change.stack.name == stack.name]
        code = [asset for asset in changes.assets if any(mine.title == asset.title for mine in stack.assets)]
        if own or others or code:
            lines += [
                *_of_stack(stack, own),
                *(f"  - {o.path}: {shown(o.old)} → {shown(o.new)}" for o in others),
            ]
            lines += [
                f"  - code of {asset.title.removesuffix('/Code')} ({_counted(len(asset.files), 'file')})"
                for asset in code
            ]
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _of_stack(stack: ReviewedStack, changes: Sequence[ResourceChange]) -> list[str]:
    alike: dict[str, list[ResourceChange]] = {}
    for change in sorted(changes, key=lambda change: change.old is not None):
        alike.setdefault(_fate(change), []).append(change)
    lines = [f"- **{stack.title}** ({stack.region})"]
    for fate, members in alike.items():
        lines += [f"  - {line}" for line in _many(members, fate)]
    return lines


def _fate(change: ResourceChange) -> str:
    if change.old is None:
        return "new"
    if change.gone:
        return "leaves the stack, kept" if change.impact == "WILL_ORPHAN" else "deleted"
    verb = {"WILL_REPLACE": "replaced", "MAY_REPLACE": "perhaps replaced"}.get(change.impact, "updated")
    paths = ", ".join(f"`{value.name}`" for value in change.values)
    return f"{verb} ({paths})" if paths else f"{verb} (by what it refers to)"


def _many(changes: Sequence[ResourceChange], word: str, most: int = 8) -> Iterator[str]:
    """Each by name; where there are many, by type."""
    if len(changes) <= most:
        yield from (f"{change.title}: {word}" for change in changes)
        return
    by_type: dict[str, list[ResourceChange]] = {}
    for change in changes:
        by_type.setdefault(change.type, []).append(change)
    for kind, members in by_type.items():
        names = ", ".join(f"`{change.title.split('`')[1]}`" for change in members)
        yield f"{word} {TYPE_WORDS.get(kind, kind)}: {names}"


def _folded_diff(report: Report, room: int) -> str:
    old = {stack.name: _texts(stack) for stack in report.changes.old.stacks}
    new = {stack.name: _texts(stack) for stack in report.changes.new.stacks}
    lines: list[str] = []
    for stack, after in new.items():
        before = old.get(stack, {})
        for part in dict.fromkeys([*before, *after]):
            lines += difflib.unified_diff(
                before.get(part, "").splitlines(),
                after.get(part, "").splitlines(),
                f"a/{stack}/{part}",
                f"b/{stack}/{part}",
                lineterm="",
                n=2,
            )
    if not lines:
        return ""
    text = "\n".join(lines).replace("```", "'''")
    if len(text) > room - 500:
        kept = max(room - 500, 0)
        text = f"{text[:kept]}\n… {len(text) - kept:,} characters more; review.json has every value"
    summary = f"The templates, as a diff ({len(lines):,} lines)"
    return f"<details><summary>{summary}</summary>\n\n```diff\n{text}\n```\n\n</details>"


def _texts(stack: ReviewedStack) -> dict[str, str]:
    """Each resource and each other section as YAML, by its name in the template.

    Compared one by one, so that no line of a resource is taken for the same line of another.
    """
    sections = {name: {name: part} for name, part in stack.template.items() if name != "Resources"}
    resources = {logical_id: {logical_id: _opened(one)} for logical_id, one in stack.resources.items()}
    return {
        name: yaml.safe_dump(part, sort_keys=False, width=110, allow_unicode=True)
        for name, part in {**sections, **resources}.items()
    }


def _opened(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """A dashboard with its body as values, so that a diff shows the graph that changes."""
    if resource.get("Type") != DASHBOARD:
        return resource
    body = at(resource, "Properties.DashboardBody")
    match body:
        case {"Fn::Join": ["", [*parts]]}:
            body = "".join(part if isinstance(part, str) else f"${{{_referred(part)}}}" for part in parts)
    try:
        opened = json.loads(body)
    except (TypeError, ValueError):  # composed in another way: as it is
        return resource
    return {**resource, "Properties": {**resource["Properties"], "DashboardBody": opened}}


def _referred(reference: Any) -> str:
    values = reference.values() if isinstance(reference, Mapping) else [reference]
    return "/".join(str(value) for value in values)
