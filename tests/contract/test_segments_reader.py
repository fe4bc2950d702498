"""What validate() accepts, the application's reader loads, and the other way round."""

import csv
import io
import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from analytics_sql.local_flink import JAR, find_java
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.segments import RefusedSegments, SegmentsRules, validate

READER = "clicktrends.reference.ReaderVerdicts"
SOURCE = Path(__file__).parents[2] / "connectors/src/test/java" / (READER.replace(".", "/") + ".java")
FILES = 2_000
RULES = SegmentsRules(
    max_plain_bytes=1 << 30, max_users=10**6, max_shrink_percent=0, previous=None, allow=frozenset()
)
HEADERS = (
    SEGMENT_FILE_HEADER,
    (SEGMENT_COLUMNS[-1], "note", *SEGMENT_FILE_HEADER[:-1]),
    ("note", *reversed(SEGMENT_FILE_HEADER), "note"),
)
PIECES = (
    "a",
    "b-2",
    "日本",
    "é",
    "😀",
    " ",
    "x" * 90,
    "\x00",
    '"',
    ",",
    "'",
    "#",
    "\t",
    "\n",
    "\u2028",
    "\x85",
)
HARMLESS_PIECES = 7
DAMAGE = (
    *(b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe3", b"\xc2", b"\xed\xa0\x80", b"\xef\xbf\xbd"),
    *(b'""', b'",', b"\n\n", b"", b"\xef\xbb\xbf", b"\x7f", b"\xc2\x85", b"\xf4\x90\x80\x80", b"\xc0\xaf"),
)
BY_HAND = (
    *(b"", b"\n", b"\r", b'"', b",", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"\xef\xbb", b"\0", b'""'),
    b"user_id,gender,age_band,region\r\n\r\nu,f,2,t\r\n\n\r",
    b'user_id,gender,age_band,region\nu,f,2,"t"\r"v",f,2,t',
    b'user_id,gender,age_band,region\nu,f,2,t"\nv",f,2,t',
    b'user_id,gender,age_band,region\nu,f,2,t"x\nv"w,f,2,"t""',
    b'user_id,gender,age_band,region\nu,f,2,"t\n',
    b'user_id,gender,age_band,region\nu,f,2,t\n"',
    b'user_id,gender,age_band,region\nu,f,2,t\n""\n',
    b'user_id,gender,age_band,region\nu,f,2,t\n"a"" ""b",f,2,t',
    b"user_id,gender,age_band,region,\nu,f,2,t,\n",
    b'user_id,gender,age_band,region,"a\nb"\nu,f,2,t,\n',
    b"user_id,gender,age_band,region\nu,f,2,t\n\xef\xbb\xbfu,f,2,t\n",
    b"#user_id,gender,age_band,region\n#u,f,2,t\n",
    b"user_id,gender,age_band,region\n#u,f,2,t\n",
    b"\xfe\xffuser_id,gender,age_band,region\nu,f,2,t\n",
    "user_id,gender,age_band,region\nu,f,2,t\n".encode("utf-16-le"),
)


@dataclass(frozen=True)
class ReaderOutcome:
    """users: None if the file is refused."""

    users: int | None
    reason: str


@pytest.mark.flink
def test_files_whole_and_damaged_are_accepted_and_refused_the_same(tmp_path: Path) -> None:
    rng = random.Random(7)
    contents = [*BY_HAND, *(_file(rng) for _ in range(FILES))]
    folder = tmp_path / "versions"
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number:05}.csv").write_bytes(content)
    of_reader = _verdicts_of_the_reader(folder, tmp_path / "classes")
    ours = [_verdict(content) for content in contents]
    differing = [
        (content, reader, our)
        for content, reader, our in zip(contents, of_reader, ours, strict=True)
        if reader.users != our.users
    ]
    assert not differing, differing[:3]
    assert (
        min(sum(our.users is None for our in ours), sum(our.users is not None for our in ours)) > FILES / 10
    )


def _verdict(content: bytes) -> ReaderOutcome:
    try:
        return ReaderOutcome(validate([content], RULES, gzipped=False).users, "")
    except RefusedSegments as refusal:
        return ReaderOutcome(None, str(refusal))


def _verdicts_of_the_reader(folder: Path, classes: Path) -> list[ReaderOutcome]:
    find_java()
    flink = find_spec("pyflink")
    assert flink is not None
    assert flink.origin is not None
    libraries = os.pathsep.join((f"{Path(flink.origin).parent / 'lib'}/*", str(JAR)))
    compiler = shutil.which("javac")
    assert compiler is not None, "javac is missing: install a JDK, not only Java"
    subprocess.run([compiler, "--release", "17", "-cp", libraries, "-d", classes, SOURCE], check=True)
    printed = subprocess.run(
        ["java", "-cp", os.pathsep.join((str(classes), libraries)), READER, folder, *SEGMENT_FILE_HEADER],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    results = [line.split("\t") for line in printed.splitlines() if "\t" in line]
    return [
        ReaderOutcome(int(text), "") if text.isdigit() else ReaderOutcome(None, text) for _, text in results
    ]


def _file(rng: random.Random) -> bytes:
    header = rng.choice(HEADERS)
    text = io.StringIO()
    pieces = PIECES[: rng.choice((HARMLESS_PIECES, HARMLESS_PIECES, len(PIECES)))]
    line_end = rng.choice(("\n", "\r\n", "\r"))
    always = rng.random() < 0.5
    table = csv.writer(text, quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL, lineterminator=line_end)
    table.writerow(header)
    for number in range(rng.randrange(12)):
        table.writerow(
            "".join(rng.choices(pieces, k=rng.randrange(1, 5))) + (str(number) if column == "user_id" else "")
            for column in header
        )
        if not rng.randrange(20):
            text.write(line_end)
    content = (rng.choice(("", "", "", "\ufeff")) + text.getvalue()).encode()
    while rng.random() < 0.4:
        at = rng.randrange(len(content))
        content = content[:at] + rng.choice(DAMAGE) + content[at + rng.randrange(3) :]
    if not rng.randrange(10):
        content += content[rng.randrange(len(content)) :]
    return content
