"""`make operators`: compiles the SQL of this tree and records the numbers of its stateful operators; they
stay those of the last release if its state can be read."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analytics_sql import main, operators
from analytics_sql.local_flink import connector_jar, find_java
from contract.click import MAX_CLOCK_AHEAD_SECONDS
from contract.count import WINDOW
from contract.sink import SINKS

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

TABLES = re.compile(r"\$\{([a-z_]+)\}")


def compiled_here(folder: Path, *, once: bool = False) -> operators.Plan:
    """The plan of the SQL in `folder`, over files: the stateful operators are the same as over streams."""
    return main.compiled(*tables_here(folder, once=once))


def tables_here(folder: Path, *, once: bool = False) -> "tuple[TableEnvironment, list[str]]":
    """The tables and views of the SQL in `folder`, over files, and its INSERT statements. once: with repeated
    click ids dropped."""
    texts = [file.read_text("utf-8") for file in folder.glob("*.sql")]
    properties: main.Properties = {
        table: {"connector": "filesystem", "path": str(folder / "none"), "format": "json"}
        for text in texts
        for table in TABLES.findall(text)
    }
    properties["segments"] = {"connector": "versioned-reference", "path": str(folder / "none")}
    properties["clicks"]["source.monitor-interval"] = "1 s"
    properties["checks"] = {
        "max-age-seconds": "86400",
        "max-clock-ahead-seconds": str(MAX_CLOCK_AHEAD_SECONDS),
        **({main.REMEMBER_CLICK_IDS: "86400"} if once else {}),
    }
    properties["flink"] = {"pipeline.jars": connector_jar(properties).as_uri()}
    find_java()
    tables = main.table_environment(main.flink_configuration(properties, on_msf=False))
    inserts = []
    for statement in main.statements(properties, mode="streaming", folder=folder):
        if re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.append(statement)
        else:
            tables.execute_sql(statement)
    return tables, inserts


def sinks_here() -> operators.Sinks:
    return {
        sink.family: {
            "generation": sink.generation,
            "key": [*sink.key],
            "grain_seconds": int(WINDOW.total_seconds()),
        }
        for sink in SINKS
    }


def record(folder: Path = main.SQL_FOLDER) -> operators.Record:
    """Updates operators.json beside the SQL in `folder`."""
    now = operators.recorded(
        compiled_here(folder, once=True),
        operators.read_record(folder),
        sinks=sinks_here(),
        least=compiled_here(folder),
    )
    operators.write_record(now, folder)
    return now


if __name__ == "__main__":
    try:
        record(*map(Path, sys.argv[1:]))
    except operators.OperatorsError as error:
        sys.exit(f"make operators: {error}")
