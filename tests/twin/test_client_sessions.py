"""Sessions of clients for the emulated AWS: many are made, by every wait of a test."""

from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from names import OREGON, TOKYO
from twin.emulator import MODELS, session_of


def test_sessions_share_what_is_read_of_the_services_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = session_of(OREGON, aws_access_key_id="one", aws_secret_access_key="a")
    one.client("kinesis")
    paths = MODELS.search_paths
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _, path: pytest.fail(f"reads {Path(path).name}"))
    another = session_of(TOKYO, aws_access_key_id="another", aws_secret_access_key="b")
    assert another.client("kinesis").meta.region_name == TOKYO
    assert one.client("kinesis").meta.region_name == OREGON
    keys = [found.access_key for each in (one, another) if (found := each.get_credentials()) is not None]
    assert keys == ["one", "another"]
    assert MODELS.search_paths == paths
