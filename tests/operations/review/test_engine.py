"""How the CDK's engine is asked."""

from collections.abc import Callable
from typing import Any

import pytest

from operations.review import engine
from operations.review.errors import ReviewError

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "clicks"}}
RENAMED = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "\u2028taps\n"}}
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Changed": ({"Resources": {"B": BUCKET}}, {"Resources": {"B": RENAMED}}),
    "Same": ({"Resources": {"B": BUCKET}}, {"Resources": {"B": BUCKET}}),
    "No policy": ({"Resources": {}}, {"Resources": {"P": {"Type": "AWS::IAM::Policy", "Properties": 7}}}),
}


def test_an_engine_of_its_own_answers_as_one_of_many_questions(
    answer_of_a_new_process: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = engine.impacts(PAIRS), engine.impacts(PAIRS)
    monkeypatch.setattr(engine, "answer", answer_of_a_new_process)
    assert engine.impacts(PAIRS) == first == second
    assert first["Changed"]["B"].impact == "WILL_REPLACE"
    assert first["Same"] == {}


def test_without_node_a_review_says_what_to_do(
    answer_of_a_new_process: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReviewError, match="make setup"):
        answer_of_a_new_process("{}\n")
