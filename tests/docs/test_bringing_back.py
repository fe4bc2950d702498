"""The commands that bring given-up batches and dead letters back make requests that a stream takes."""

import base64
import re
import subprocess
from pathlib import Path

from contract.limits import PUT_RECORDS
from tests.docs.words import PROJECT

PROGRAM = re.compile(r"^REQUESTS='(.*?)'$", re.DOTALL | re.MULTILINE)
PAGE = PROJECT / "docs/reference/forwarder.md"


def test_records_are_cut_into_requests_that_a_stream_takes(tmp_path: Path) -> None:
    sizes = [300] * 1_700 + [1_000_000] * 7 + [25_000] * 600 + [1] * 501
    lines = [b'{"Data":"%s","PartitionKey":"k"}' % base64.b64encode(b"x" * size) for size in sizes]
    [program] = PROGRAM.findall(PAGE.read_text(encoding="utf-8"))
    subprocess.run(["awk", program], input=b"\n".join(lines) + b"\n", cwd=tmp_path, check=True)
    requests = [file.read_bytes().splitlines() for file in sorted(tmp_path.glob("put-*"))]
    assert [line for request in requests for line in request] == lines
    assert max(map(len, requests)) == PUT_RECORDS.records
    data = [sum(len(line) * 3 / 4 for line in request) for request in requests]
    assert PUT_RECORDS.request_bytes / 2 < max(data) <= PUT_RECORDS.request_bytes
