"""Without the connectors' jar a template can be made and compared, but not deployed to AWS."""

import zipfile
from pathlib import Path
from typing import Any

from stacks.analytics.package import JAR_IN_ZIP, application_zip
from stacks.parts.deterministic_zip import write_zip


def test_without_the_jar_aws_refuses_the_template(templates: dict[str, dict[str, Any]]) -> None:
    [assertion] = templates["OregonAnalytics"]["Rules"]["ConnectorsAreInTheZip"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "000000000000"]}
    assert "make aws-jar" in assertion["AssertDescription"]


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
