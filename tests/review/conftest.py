from pathlib import Path

import pytest

from tests.review.laboratory import Laboratory


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    return Laboratory(folder=tmp_path, monkeypatch=monkeypatch)
