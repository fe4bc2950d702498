"""The analytics application: counts clicks by minute, article and segment.

1. read the application properties (MSF's JSON: a list of PropertyGroupId/PropertyMap)
2. render the numbered .sql files beside this one: `${group}` is a table's options, `${group.key}` a number
3. configure Flink
4. run every INSERT as one job

Three ways to run it:
  main.py                           on Managed Service for Apache Flink (MSF)
  main.py --properties FILE         streaming here, as the twin does; waits for the job. Group `flink` then
                                    also sets what on MSF the template does, and `pipeline.jars`
  main.py --clicks DIR --segments DIR --out DIR
                                    bounded, over files: handed on to bounded.py
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zipfile import is_zipfile

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment, TableResult

Properties = dict[str, dict[str, str]]  # property group -> key -> value

MSF_PROPERTIES = Path("/etc/flink/application_properties.json")
SQL_FOLDER = Path(__file__).resolve().parent  # resolved: Flink starts this file through a symbolic link

FORMS = {
    "streaming": ["streaming"],
    "once": ["streaming", "once"],
    "batch": ["batch"],
    "replay": ["batch", "replay"],
    "replay-once": ["batch", "replay", "replay-once"],
}
"""By mode, the forms of the .sql files that it takes, the last of them first."""

# Flink keys that MSF lets an application set; the others come from the template
# (https://docs.aws.amazon.com/managed-flink/latest/java/programmatic-configuration.html).
MSF_KEYS = (
    "execution.runtime-mode",
    "pipeline.name",
    "pipeline.object-reuse",
    "table.exec.mini-batch.*",
    "table.exec.state.ttl",
    "table.exec.uid.*",
    "table.local-time-zone",
)
# In addition to a click's greatest age and a count's window: for a click ahead of its time, a mini-batch that
# waits for a checkpoint, and clocks that differ.
STATE_MARGIN_SECONDS = 2 * 3600
# In the group `checks`: repeated click ids are dropped, and each is remembered so long. Without it, none is.
REMEMBER_CLICK_IDS = "remember-click-ids-seconds"


def read_properties(file: Path) -> Properties:
    """Property groups of `file`. Raises SystemExit with its name if it is missing or has another form."""
    try:
        groups = json.loads(file.read_text(encoding="utf-8"))
        return {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups}
    except FileNotFoundError:
        raise SystemExit(f"{file} does not exist: pass the file with the application properties") from None
    except (ValueError, TypeError, KeyError) as error:
        raise SystemExit(
            f"{file} is not a JSON list of {{PropertyGroupId, PropertyMap}} objects: {error!r}"
        ) from None


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def render(sql: str, properties: Properties, *, file: str) -> str:
    """`sql` with `${group}` as the options of a WITH clause and `${group.key}` as a whole number."""

    def value(match: re.Match[str]) -> str:
        name, _, key = match[1].partition(".")
        group = properties.get(name)
        if not group:
            raise SystemExit(
                f"{file} needs the property group {name!r}: add it to the application properties"
            )
        if not key:
            return ",".join(f"\n  {quoted(option)} = {quoted(text)}" for option, text in group.items())
        if not group.get(key, "").isdecimal():
            raise SystemExit(
                f"{file} needs a whole number for {key!r} in property group {name!r}, not {group.get(key)!r}"
            )
        return group[key]

    return re.sub(r"\$\{([^}]+)\}", value, sql)


def sql_files(mode: str, folder: Path = SQL_FOLDER) -> list[Path]:
    """The .sql files of a mode in order: of each name its form for the mode, else the one without a mode. A
    replay is a batch run, and dropping repeated click ids (`once`) a streaming one or a replay, each with its
    own form of some files."""
    found: dict[str, Path] = {}
    for form in ("", *FORMS[mode]):
        found |= {
            file.name.partition(".")[0]: file
            for file in folder.glob("*.sql")
            if file.suffixes[:-1] == ([f".{form}"] if form else [])
        }
    return [found[name] for name in sorted(found)]


def statements(properties: Properties, *, mode: str, folder: Path = SQL_FOLDER) -> list[str]:
    """The statements of the mode's files in order, rendered. Where repeated click ids are dropped, streaming
    and replays have their own forms of some files."""
    dropping = remembered_seconds(properties) is not None
    form = {"streaming": "once", "replay": "replay-once"}.get(mode, mode) if dropping else mode
    return [
        statement.strip()
        for file in sql_files(form, folder)
        for statement in re.split(
            r";\s*(?:\n|$)", render(file.read_text("utf-8"), properties, file=file.name)
        )
        if re.sub(r"^--.*", "", statement, flags=re.MULTILINE).strip()
    ]


def remembered_seconds(properties: Properties) -> int | None:
    """How long a click id is remembered; None where repeated ones are counted. Raises SystemExit if it is no
    whole number."""
    if REMEMBER_CLICK_IDS not in properties.get("checks", {}):
        return None
    return int(render(f"${{checks.{REMEMBER_CLICK_IDS}}}", properties, file="Dropping repeated click ids"))


def state_lifetime_seconds(max_age_seconds: int, window_seconds: int) -> int:
    """How long a count lives after a click. It must outlive the last click that can reach it, or it would
    start again at 1: the first click may be at the start of the window, the last at its end and read
    `max_age_seconds` later.
    """
    return max_age_seconds + window_seconds + STATE_MARGIN_SECONDS


def window_seconds(folder: Path = SQL_FOLDER) -> int:
    """The longest window of the counts in `folder`, as `make operators` recorded it."""
    sinks = read_record(folder)["sinks"].values()
    return max(int(sink["grain_seconds"]) for sink in sinks if "gone" not in sink)


def read_record(folder: Path) -> dict[str, Any]:
    """operators.json beside the SQL. Raises SystemExit if it is missing."""
    file = folder / "operators.json"
    if not file.is_file():
        raise SystemExit(f"{file} is missing: run `make operators`")
    record: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return record


def flink_configuration(properties: Properties, *, on_msf: bool) -> dict[str, str]:
    """All Flink keys of the job: those of the group `flink`, and those on which the counts depend.

    Raises SystemExit on MSF if the group has a key that MSF refuses.
    """
    given = properties.get("flink", {})
    max_age_seconds = int(render("${checks.max-age-seconds}", properties, file="The state's lifetime"))
    configuration = {
        "pipeline.name": "click-trends",
        "pipeline.object-reuse": "true",
        # A bundle is flushed at each checkpoint, so the checkpoint interval is the publish interval.
        "table.exec.mini-batch.enabled": "true",
        "table.exec.mini-batch.allow-latency": "1 h",
        "table.exec.mini-batch.size": "200000",
        **given,
        "table.local-time-zone": "UTC",
        "table.exec.state.ttl": f"{state_lifetime_seconds(max_age_seconds, window_seconds())} s",
    }
    if not on_msf:
        return configuration
    refused = sorted(key for key in given if not any(fnmatch(key, allowed) for allowed in MSF_KEYS))
    if refused:
        raise SystemExit(
            f"Managed Service for Apache Flink refuses {', '.join(refused)}: take it out of group 'flink';"
            " parallelism, checkpoints, state and restarts are set in the application's template"
        )
    return configuration


def check_jars(jars: str) -> None:
    """Raises SystemExit unless `jars` names files, as URLs separated by semicolons. Flink itself would report
    missing connectors in sixty lines of class names."""
    if not jars:
        raise SystemExit(
            "property group 'flink' needs the URL of the connectors' jar as 'pipeline.jars', such as "
            "file:///.../connectors/target/analytics.jar, which `make setup` builds"
        )
    for jar in jars.split(";"):
        if not is_zipfile(url2pathname(urlsplit(jar).path)):
            raise SystemExit(
                f"'pipeline.jars' of property group 'flink' names {jar}, which is not there or no jar: run "
                "`make setup`"
            )


def table_environment(configuration: Mapping[str, str]) -> "TableEnvironment":
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    settings = Configuration()
    for key, value in configuration.items():
        settings.set_string(key, value)
    return TableEnvironment.create(EnvironmentSettings.Builder().with_configuration(settings).build())


def _bounded_job(tables: "TableEnvironment", inserts: list[str]) -> "TableResult":
    job = tables.create_statement_set()
    for insert in inserts:
        job.add_insert_sql(insert)
    return job.execute()


def _streaming_job(tables: "TableEnvironment", inserts: list[str], properties: Properties) -> "TableResult":
    """Runs the compiled plan with the operator numbers of the last release; operators.py says why."""
    sys.path += [folder for folder in map(str, (SQL_FOLDER, SQL_FOLDER.parent)) if folder not in sys.path]
    from analytics_sql import codegen, operators, repetition

    record = read_record(SQL_FOLDER)
    try:
        plan = codegen.in_one_piece(operators.numbered(compiled(tables, inserts), record))
    except operators.OperatorsError as error:
        raise SystemExit(str(error)) from None
    if seconds := remembered_seconds(properties):
        plan = repetition.remembered(plan, seconds)
    return started(tables, plan)


def started(tables: "TableEnvironment", plan: dict[str, Any]) -> "TableResult":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        return tables.execute_sql(f"EXECUTE PLAN {quoted(str(file))}")


def compiled(tables: "TableEnvironment", inserts: list[str]) -> dict[str, Any]:
    """The plan of all `inserts` as one job; streaming only, as Flink compiles no bounded plan."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        together = ";\n".join(inserts)
        tables.execute_sql(f"COMPILE PLAN {quoted(str(file))} FOR STATEMENT SET BEGIN\n{together};\nEND")
        plan: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return plan


def run(properties: Properties, *, on_msf: bool) -> None:
    """Run the job and wait for its end, except on MSF, where `main` must return for the service to go on."""
    configuration = flink_configuration(properties, on_msf=on_msf)
    if not on_msf:
        check_jars(configuration.get("pipeline.jars", ""))
    bounded = configuration.get("execution.runtime-mode") == "BATCH"
    mode = "replay" if "replay" in properties else "batch" if bounded else "streaming"
    all_statements = statements(properties, mode=mode)
    tables = table_environment(configuration)
    inserts = []
    for statement in all_statements:
        if re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.append(statement)
        else:
            tables.execute_sql(statement)
    job = _bounded_job(tables, inserts) if bounded else _streaming_job(tables, inserts, properties)
    if not on_msf:
        job.wait()


def main() -> None:
    """Ignores arguments on MSF: the service may pass some, but the application needs none."""
    if MSF_PROPERTIES.is_file():
        run(read_properties(MSF_PROPERTIES), on_msf=True)
    elif "--properties" in sys.argv:
        parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
        parser.add_argument("--properties", type=Path, metavar="FILE", help="application properties")
        run(read_properties(parser.parse_args().properties), on_msf=False)
    else:
        sys.path.insert(0, str(SQL_FOLDER.parent))
        from analytics_sql import bounded

        bounded.main(partial(run, on_msf=False))


if __name__ == "__main__":
    main()
