"""The templates that the twin deploys."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from twin.deployment import deploy
from twin.processes import TwinError
from twin.synthesis import Synthesis


def test_unusable_settings_are_reported_in_their_own_words(tmp_path: Path) -> None:
    synthesis = Synthesis("no-such-environment", tmp_path)
    with pytest.raises(TwinError, match="There is no environment 'no-such-environment'"):
        synthesis.assembly()


def test_a_damaged_assembly_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(TwinError, match="synthesise again"):
        deploy(tmp_path, Mock(), lambda: None)
