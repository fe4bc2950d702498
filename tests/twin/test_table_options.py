"""The twin's overrides of the application's deployed properties, for each transport."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from contract.sink import REJECTS_TABLE, SINKS
from settings import load
from tests.deployed import deployed_properties
from twin import twin
from twin.emulator import Emulator
from twin.processes import TwinError
from twin.table_options import connector_properties, file_properties

DEPLOYED = deployed_properties(load("local"))
EMULATOR = cast(Emulator, SimpleNamespace(endpoint="http://127.0.0.1:4566"))


def test_the_aws_transport_changes_only_how_the_emulator_is_reached() -> None:
    for table, options in connector_properties(EMULATOR, DEPLOYED).items():
        added = {key: value for key, value in options.items() if DEPLOYED[table].get(key) != value}
        assert added == {
            "aws.endpoint": "http://127.0.0.1:4566",
            "aws.credentials.provider": "ENV_VAR",
            "aws.trust.all.certificates": "true",
        }
        assert options.keys() >= DEPLOYED[table].keys()


def test_the_files_transport_reads_and_writes_the_deployed_format() -> None:
    tables = file_properties(Path("/transport"), DEPLOYED)
    assert tables.keys() == {"clicks", REJECTS_TABLE, *(sink.table for sink in SINKS)}
    for table, options in tables.items():
        formats = {
            key: value for key, value in DEPLOYED[table].items() if key.startswith(("format", "json."))
        }
        assert formats.items() <= options.items()
        assert options["connector"] == "filesystem"
        folder = DEPLOYED[table].get("delivery-stream", table)
        assert options["path"] == f"file:///transport/{folder}"


@pytest.mark.parametrize(("value", "says"), [("aws", "make aws-jar"), ("carrier-pigeon", "set it to files")])
def test_an_unusable_transport_is_refused_with_a_remedy(
    value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSPORT", value)
    monkeypatch.setattr(twin, "AWS_JAR", Path("/no/such.jar"))
    with pytest.raises(TwinError, match=says):
        twin.chosen_transport()


def test_records_move_through_files_without_the_aws_jar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANSPORT", raising=False)
    monkeypatch.setattr(twin, "AWS_JAR", Path("/no/such.jar"))
    assert twin.chosen_transport() == "files"
