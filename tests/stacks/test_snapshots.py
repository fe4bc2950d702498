"""Each template as YAML in snapshots/: a change of infrastructure shows there, resource by resource."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from names import STACKS

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")
_DIGESTS = {"Deployed", "Definitions"}


class OneFileAStack(SingleFileSnapshotExtension):
    file_extension = "yaml"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "snapshots")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:  # noqa: ARG003
        return str(index)


def normalised(value: Any) -> Any:
    """Without what differs between machines or with every edit of a source: hashes of assets."""
    if isinstance(value, dict):
        return {
            key: "<digest>" if key in _DIGESTS and isinstance(item, str) else normalised(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [normalised(item) for item in value]
    return _ASSET.sub("<asset>", value) if isinstance(value, str) else value


@pytest.mark.parametrize("stack", STACKS)
def test_a_template_is_as_recorded(
    stack: str, templates: dict[str, dict[str, Any]], snapshot: SnapshotAssertion
) -> None:
    text = yaml.safe_dump(normalised(templates[stack]), sort_keys=False, width=110, allow_unicode=True)
    assert text == snapshot(name=stack, extension_class=OneFileAStack)


def test_every_stack_is_recorded(templates: dict[str, dict[str, Any]]) -> None:
    assert sorted(templates) == sorted(STACKS)
