"""The templates that the twin deploys."""

from pathlib import Path

import pytest

from twin.processes import TwinError
from twin.synthesis import Synthesis


def test_unusable_settings_are_reported_in_their_own_words(tmp_path: Path) -> None:
    synthesis = Synthesis("no-such-environment", tmp_path)
    with pytest.raises(TwinError, match="There is no environment 'no-such-environment'"):
        synthesis.assembly()
