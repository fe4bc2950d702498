"""Without the connectors' jar a template can be made and compared, but not deployed to AWS."""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from analytics_sql.jars import stale
from stacks.analytics.package import JAR_IN_ZIP, application_zip
from stacks.app import build_app
from stacks.constructs.deterministic_zip import write_zip


def test_without_the_jar_aws_refuses_the_template(templates: dict[str, dict[str, Any]]) -> None:
    [assertion] = templates["OregonAnalytics"]["Rules"]["ConnectorsAreInTheZip"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "000000000000"]}
    assert "make aws-jar" in assertion["AssertDescription"]


def test_a_jar_that_is_empty_or_damaged_is_refused_as_if_it_were_missing(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 the download ended here"):
        jar = tmp_path / "analytics-aws.jar"
        jar.write_bytes(content)
        build_app("production", destroy=False, outdir=tmp_path / "out", jar=jar).synth()
        [file] = (tmp_path / "out").glob("*OregonAnalytics.template.json")
        [assertion] = json.loads(file.read_text())["Rules"]["ConnectorsAreInTheZip"]["Assertions"]
        assert "analytics-aws.jar is empty or damaged" in assertion["AssertDescription"]
        shutil.rmtree(tmp_path / "out")


def test_a_jar_is_stale_once_a_source_is_newer(tmp_path: Path) -> None:
    sources = tmp_path / "connectors"
    java = sources / "src" / "main" / "java" / "Join.java"
    jar = sources / "target" / "analytics-aws.jar"
    for file in (java, sources / "pom.xml", jar):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    os.utime(jar, (2_000_000_000, 2_000_000_000))
    assert stale(jar, sources) is None
    os.utime(java, (2_000_000_001, 2_000_000_001))
    assert stale(jar, sources) == (
        "connectors/target/analytics-aws.jar is older than connectors/src/main/java/Join.java"
    )


def test_with_the_jar_it_is_in_the_zip_and_the_code_has_another_name(tmp_path: Path, no_jar: Path) -> None:
    jar = tmp_path / "analytics-aws.jar"
    jar.write_bytes(b"connectors")
    with_jar, without = application_zip(jar=jar), application_zip(jar=no_jar)
    assert with_jar.name != without.name
    with zipfile.ZipFile(with_jar) as archive:
        assert archive.read(JAR_IN_ZIP) == b"connectors"
    with zipfile.ZipFile(without) as archive:
        assert "main.py" in archive.namelist()
        assert JAR_IN_ZIP not in archive.namelist()


def test_a_zip_depends_on_its_content_only(tmp_path: Path) -> None:
    early, late = tmp_path / "early.sql", tmp_path / "late.sql"
    early.write_text("SELECT 1")
    first = write_zip("trial", {"a.sql": early, "b.sql": early}).read_bytes()
    late.write_text("SELECT 1")
    late.chmod(0o600)
    again = write_zip("trial", {"b.sql": late, "a.sql": late})
    again.unlink()
    assert write_zip("trial", {"b.sql": late, "a.sql": late}).read_bytes() == first
