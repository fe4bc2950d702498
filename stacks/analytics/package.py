"""The zip of the analytics application: main.py, the SQL, the numbers of its operators, and the connectors'
jar, if it is built."""

from pathlib import Path

from analytics_sql.local_flink import AWS_JAR
from analytics_sql.operators import FILE, Record, read_record
from stacks.constructs.deterministic_zip import write_zip

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "analytics_sql"
JAR_IN_ZIP = f"lib/{AWS_JAR.name}"


def application_zip(*, jar: Path = AWS_JAR) -> Path:
    """Zip of what runs on AWS, with `jar` if that file exists."""
    files = {path.name: path for path in (SOURCES / "main.py", SOURCES / FILE, *SOURCES.glob("*.sql"))}
    # At their path in the repository, so that an import reads the same on AWS, here and to the type checker.
    modules = ("__init__.py", "codegen.py", "operators.py", "repetition.py")
    files |= {f"analytics_sql/{name}": SOURCES / name for name in modules}
    if jar.exists():
        files[JAR_IN_ZIP] = jar
    return write_zip("analytics", files)


def recorded_operators() -> Record:
    """Of the version in the zip."""
    record = read_record(SOURCES)
    if record is None:
        raise FileNotFoundError(f"{SOURCES / FILE} is missing: run `make operators`")
    return record
