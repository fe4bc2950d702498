"""What became of an uploaded file of the segments: a receipt if it was published, its reasons if refused.

Both are JSON in the segments bucket: `receipts/<name>.json`, which is never changed, and
`refused/<name>.reasons.json`, which the next refusal of that name replaces. `name` is the upload's key
without `incoming/`. Times are written as `20260131T091500Z`: UTC, whole seconds.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from contract.segment_rows import Reason
from contract.segments import Summary, problem_of_name

ALLOW = "allow"
"""Of an upload's metadata (x-amz-meta-allow): the text that `contract.segments.allowances` reads."""
SUCCEEDS = "succeeds"
"""Of an upload's metadata: the valid_from of the version that it was made from, as `written_time` writes it.
The upload is refused if another one has come since. Without it, it may succeed any."""
CORRECTS = "corrects"
"""Of an upload's metadata: the valid_from of the past version that it corrects, as versions are named."""
REASONS_ENDING = ".reasons.json"
_TIME = "%Y%m%dT%H%M%SZ"


def is_gzipped(name: str) -> bool:
    return name.endswith(".gz")


def receipt_name(name: str) -> str:
    """Below `receipts/`, of a name that fits `problem_of_name`."""
    return f"{name}.json"


def refused_name(name: str) -> str:
    """Below `refused/`: the upload's own name, or a digest of it if it is none for a file."""
    return f"{sha256(name.encode()).hexdigest()[:32]}.csv" if problem_of_name(name) else name


def reasons_name(name: str) -> str:
    """Below `refused/`, beside the file."""
    return refused_name(name) + REASONS_ENDING


def written_time(seconds: float) -> str:
    """seconds: since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME)


def read_time(text: str) -> float:
    """Seconds since the epoch; raises ValueError."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Of a published version, or of the correction of a past one.

    upload: the S3 version id of the uploaded object; times: seconds since the epoch; late: too late for every
    task to have read the version by `valid_from`; correction: the key of what corrects the version of
    `valid_from`, None for a version.
    """

    name: str
    upload: str
    uploaded_at: float
    valid_from: float
    published_at: float
    late: bool
    summary: Summary
    correction: str | None = None

    def to_json(self) -> bytes:
        times = {time: written_time(getattr(self, time)) for time in _TIMES}
        written = {**asdict(self), **times, "summary": self.summary.to_json()}
        if self.correction is None:
            del written["correction"]
        return _json(written)

    @classmethod
    def from_json(cls, text: bytes) -> "Receipt":
        """Raises ValueError, KeyError or TypeError where this is no receipt."""
        read = json.loads(text)
        times = {time: read_time(read[time]) for time in _TIMES}
        return cls(**{**read, **times, "summary": Summary.from_json(read["summary"])})


_TIMES = ("uploaded_at", "valid_from", "published_at")


@dataclass(frozen=True, kw_only=True)
class RefusedUpload:
    """upload: the S3 version id of the uploaded object; reasons: the first ones; number: of all."""

    name: str
    upload: str
    uploaded_at: float
    reasons: tuple[Reason, ...]
    number: int

    def to_json(self) -> bytes:
        return _json({**asdict(self), "uploaded_at": written_time(self.uploaded_at)})

    @classmethod
    def from_json(cls, text: bytes) -> "RefusedUpload":
        """Raises ValueError, KeyError or TypeError where this is none."""
        read = json.loads(text)
        reasons = tuple(Reason(**reason) for reason in read["reasons"])
        return cls(**{**read, "uploaded_at": read_time(read["uploaded_at"]), "reasons": reasons})


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
