"""Copies in S3 that are made only if nothing is there yet; MiniStack ignores their condition.

S3 takes `If-Match` and `If-None-Match` of a CopyObject for its destination (S3 API reference, CopyObject).
"""

from types import ModuleType
from typing import Any

NEEDED_OF_S3 = ("_copy_object", "_check_put_preconditions", "_ensure_bucket")


def refuse_copies_over(s3: ModuleType) -> None:
    """s3: ministack.services.s3."""
    copy = s3._copy_object

    def copy_on_condition(bucket_name: str, dest_key: str, headers: dict[str, str]) -> Any:
        bucket = s3._ensure_bucket(bucket_name)
        if bucket is not None:
            refused = s3._check_put_preconditions(headers, bucket["objects"].get(dest_key))
            if refused:
                return refused
        return copy(bucket_name, dest_key, headers)

    s3._copy_object = copy_on_condition  # type: ignore[attr-defined]
