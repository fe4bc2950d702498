"""The zip of the analytics application: main.py, the .sql files and the connectors' jar, if it is built."""

from pathlib import Path

from stacks.parts.deterministic_zip import write_zip

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "analytics_sql"
AWS_JAR = ROOT / "connectors" / "target" / "analytics-aws.jar"
JAR_IN_ZIP = "lib/analytics-aws.jar"


def application_zip(*, jar: Path = AWS_JAR) -> Path:
    """Zip of what runs on AWS, with `jar` if that file exists."""
    files = {path.name: path for path in (SOURCES / "main.py", *SOURCES.glob("*.sql"))}
    if jar.exists():
        files[JAR_IN_ZIP] = jar
    return write_zip("analytics", files)
