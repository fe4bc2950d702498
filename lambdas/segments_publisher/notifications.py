"""Tells the topic of the environment's alarms what an alarm cannot: which file, and why."""

from typing import Any

import boto3
from botocore.config import Config

from contract.segments_receipt import Receipt, RefusedUpload, written_time
from names import REFUSED_SEGMENTS_PREFIX

FIRST_REASONS = 10
_REASON_CHARACTERS = 300
_SUBJECT_CHARACTERS = 99
"""A subject has less than 100 characters of ASCII (SNS API reference, Publish)."""


def refusal(refused: RefusedUpload) -> tuple[str, str]:
    """Subject and text."""
    reasons = [
        f"- {_printable(str(reason))[:_REASON_CHARACTERS]}" for reason in refused.reasons[:FIRST_REASONS]
    ]
    more = refused.number - len(reasons)
    if more > 0:
        reasons.append(f"- and {more:,} more, in {REFUSED_SEGMENTS_PREFIX}")
    return (
        f"Segments refused: {_printable(refused.name)}",
        "\n".join(
            [
                f"The file {_printable(refused.name)} was refused, and the segments stay as they are.",
                *reasons,
                "Mend the file and publish it again.",
            ]
        ),
    )


def overwriting(name: str, uploads: int) -> tuple[str, str]:
    """Subject and text. uploads: of this name that were overwritten by the last one."""
    shown = _printable(name)
    return (
        f"Segments overwritten: {shown}",
        f"{uploads:,} uploads of {shown} were overwritten by another of that name before they were read, and "
        "only the last one counts. If another was meant, publish it under a name of its own.",
    )


def _printable(name: str) -> str:
    """A name of an upload may hold any character."""
    return "".join(each if each.isprintable() else "?" for each in name)


def lateness(receipt: Receipt) -> tuple[str, str]:
    """Subject and text."""
    return (
        f"Segments published late: {receipt.name}",
        f"The version {written_time(receipt.valid_from)} ({receipt.name}) was there only at "
        f"{written_time(receipt.published_at)}. Clicks from its first seconds may count in the segments of "
        "the version before. What that means: docs/reference/contracts.md, Segments.",
    )


class Topic:
    """Raises botocore's errors. arn: None if nobody is to be told."""

    def __init__(self, arn: str | None, region: str) -> None:
        self._arn = arn
        self._sns: Any = None
        if arn:
            config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
            self._sns = boto3.client("sns", region_name=region, config=config)

    def tell(self, subject: str, text: str) -> None:
        if self._sns:
            short = subject.encode("ascii", "replace").decode()[:_SUBJECT_CHARACTERS]
            self._sns.publish(TopicArn=self._arn, Subject=short, Message=text)
