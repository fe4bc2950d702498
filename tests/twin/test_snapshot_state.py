"""Which operators the twin finds in a version, so that a start is as strict as on AWS."""

import io
import json
import zipfile
from typing import Any

import pytest

from analytics_sql.main import REMEMBER_CLICK_IDS
from twin import snapshot_state

RECORD = {"operators": {"counts": {"id": 2}, "click ids": {"id": 5, "optional": True}}}


def configuration(checks: dict[str, str]) -> dict[str, Any]:
    return {
        "ApplicationCodeConfiguration": {
            "CodeContent": {"S3ContentLocation": {"BucketARN": "arn:aws:s3:::code", "FileKey": "a.zip"}}
        },
        "EnvironmentProperties": {
            "PropertyGroups": [{"PropertyGroupId": "checks", "PropertyMap": checks}],
        },
    }


@pytest.mark.parametrize(
    ("checks", "expected"),
    [({}, {2: "counts"}), ({REMEMBER_CLICK_IDS: "90000"}, {2: "counts", 5: "click ids"})],
)
def test_an_optional_operator_is_there_only_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, checks: dict[str, str], expected: dict[int, str]
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("operators.json", json.dumps(RECORD))
    monkeypatch.setattr("twin.snapshot_state.s3._get_object_data", lambda _bucket, _key: content.getvalue())
    assert snapshot_state.operators_of(configuration(checks)) == expected
