"""The files that web servers run are made from the settings, and the committed ones are up to date."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from clients.web_servers.command import app
from clients.web_servers.rendering import CONFIGURATIONS, FILES, TEMPLATES, rendered
from names import Names
from settings import Settings
from settings.web_servers import WebServerSettings
from tests.conftest import PROJECT

ELSEWHERE = Settings(
    environment="trial",
    account="111111111111",
    web_servers=WebServerSettings(
        click_log="/var/log/httpd/clicks.log", state_directory="/data/clicks", buffer_gib=2
    ),
)


@pytest.mark.parametrize("file", FILES)
def test_the_committed_file_is_what_production_renders(file: str, tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["--environment", "production", "--into", str(tmp_path)])
    assert outcome.exit_code == 0
    remedy = "run `python -m clients.web_servers --into clients/web_servers` and commit it"
    assert (tmp_path / file).read_text() == (TEMPLATES / file).read_text(), remedy


@pytest.mark.parametrize("file", CONFIGURATIONS)
def test_another_environment_is_rendered_as_recorded(file: str, snapshot: SnapshotAssertion) -> None:
    assert rendered(ELSEWHERE)[file] == snapshot


@pytest.mark.parametrize("file", FILES)
def test_another_environment_shares_no_name_with_production(file: str) -> None:
    text = rendered(ELSEWHERE)[file]
    names = Names(environment="trial", account="111111111111")
    assert (
        (names.source_stream in text)
        == (names.web_server_role in text)
        == (file in {"fluentd.conf", "fluent-bit.yaml"})
    )
    assert "production" not in text


def test_without_a_directory_no_committed_file_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = CliRunner().invoke(app, ["--environment", "local"])
    assert outcome.exit_code == 0
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert written == {f"clients/web_servers/made/local/{name}" for name in FILES}
    assert (PROJECT / ".gitignore").read_text().splitlines().count("/clients/web_servers/made/") == 1


def test_the_disk_for_a_full_buffer_is_reported(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["--environment", "production", "--into", str(tmp_path)])
    assert "needs 12 GiB free for /var/lib/click-trends" in outcome.output


def test_an_unknown_environment_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["--environment", "none", "--into", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "known: local, production" in outcome.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("setting", ["click_log", "state_directory"])
@pytest.mark.parametrize(
    "path",
    [
        "clicks.log",
        "/",
        "/logs/",
        "/logs/*.log",
        "/a,/b",
        "/logs/%Y",
        '/a"b',
        "/a: b",
        "/a#b",
        "/a\n/b",
        "/ä",
    ],
)
def test_a_path_with_characters_special_to_a_program_is_refused(setting: str, path: str) -> None:
    with pytest.raises(ValueError, match=setting):
        WebServerSettings.model_validate({setting: path})
