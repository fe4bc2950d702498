"""The decoder in Java reads from a record what the contract in Python reads.

DECODER_RECORDS: how many records, 20,000 by default (`make fuzz`: a million). DECODER_SEED: where to begin,
as a failure prints it.
"""

import os
import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyflink
import pytest

from analytics_sql.local_flink import JAR, find_java
from contract.click import OPTIONAL_FIELDS, REQUIRED_FIELDS, Click, Unread, read
from tests.analytics_sql.contract import text_of
from tests.analytics_sql.malformed_records import KNOWN
from tests.analytics_sql.record_forms import Forms

pytestmark = pytest.mark.flink

RECORDS = int(os.environ.get("DECODER_RECORDS", "20000"))
SEED = int(os.environ.get("DECODER_SEED", str(time.time_ns())))
RECORDS_OF_A_BATCH = 20_000
COLUMNS = [*REQUIRED_FIELDS, *OPTIONAL_FIELDS]
MAX_UNPARSEABLE_CHARACTERS = 4096
JAVA = Path(__file__).parents[2] / "connectors" / "src" / "test" / "java" / "clicktrends" / "json"
REPLACED = re.compile("\ufffd+")

Fields = list[bytes | None]


class Decoder:
    """The decoder of the jar, in a Java that runs until it is closed."""

    def __init__(self, folder: Path) -> None:
        find_java()
        self._folder = folder
        class_path = os.pathsep.join([str(JAR), f"{Path(pyflink.__file__).parent}/lib/*"])
        sources = [str(JAVA / f"{name}.java") for name in ("PrintedUnits", "Decoders")]
        subprocess.run(["javac", "-d", str(folder), "-cp", class_path, *sources], check=True)
        self._java = subprocess.Popen(
            [
                *("java", "-Xmx1g", "-cp", f"{folder}{os.pathsep}{class_path}"),
                *("clicktrends.json.PrintedUnits", *COLUMNS),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )

    def rows(self, records: list[bytes]) -> Iterator[list[Fields]]:
        """The rows of each record; the last field of a row is the unread rest."""
        file = self._folder / "records"
        file.write_bytes(b"".join(len(r).to_bytes(4, "big") + r for r in records) + bytes(4))
        assert self._java.stdin
        assert self._java.stdout
        self._java.stdin.write(f"{file}\n")
        self._java.stdin.flush()
        for _ in records:
            yield [
                [None if each == "-" else bytes.fromhex(each) for each in row.split(",")]
                for row in _line(self._java.stdout).split(";")[:-1]
            ]

    def close(self) -> None:
        """After a failure Java waits for somebody to read its output, so it does not end by itself."""
        self._java.kill()
        self._java.communicate()


def _line(output: IO[str]) -> str:
    line = output.readline()
    assert line.endswith("\n"), "Java has ended"
    return line


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    opened = Decoder(tmp_path_factory.mktemp("decoder"))
    yield opened
    opened.close()


def is_same(unit: Click | Unread, row: Fields) -> bool:
    *fields, rest = row
    if isinstance(unit, Unread):
        return not any(fields) and rest is not None and is_same_rest(unit.data, rest)
    values = [unit.fields.get(column) for column in COLUMNS]
    return rest is None and all(map(is_same_value, values, fields))


def is_same_rest(data: bytes, shown: bytes) -> bool:
    """Languages differ in how many U+FFFD they write for bytes that are no text."""
    expected, text = (REPLACED.sub("\ufffd", each.decode("utf-8", "replace")) for each in (data, shown))
    if len(data) <= MAX_UNPARSEABLE_CHARACTERS:
        return text == expected
    return len(text) <= MAX_UNPARSEABLE_CHARACTERS and expected.startswith(text)


def is_same_value(value: object, field: bytes | None) -> bool:
    if isinstance(value, float):
        return field is not None and float(field) == value  # a fraction has many texts
    text = text_of(value)
    return field == (None if text is None else text.encode("utf-8", "surrogatepass"))


def compare(decoder: Decoder, records: list[bytes], context: str) -> tuple[int, int]:
    """How many clicks and unread rests there were."""
    clicks = rests = 0
    for number, (record, rows) in enumerate(zip(records, decoder.rows(records), strict=True)):
        units = read(record)
        if len(units) != len(rows) or not all(map(is_same, units, rows)):
            pytest.fail(f"{context}, record {number}: {b64encode(record).decode()}\n{units}\n{rows}")
        clicks += sum(isinstance(unit, Click) for unit in units)
        rests += sum(isinstance(unit, Unread) for unit in units)
    return clicks, rests


def test_both_languages_read_the_same_from_the_known_records(decoder: Decoder) -> None:
    compare(decoder, [record for record in KNOWN if record], "known")


def test_both_languages_read_the_same_from_made_and_damaged_records(decoder: Decoder) -> None:
    clicks = rests = 0
    for batch, first in enumerate(range(0, RECORDS, RECORDS_OF_A_BATCH)):
        records = [*Forms(SEED + batch).records(min(RECORDS_OF_A_BATCH, RECORDS - first))]
        of_batch = compare(decoder, records, f"DECODER_SEED={SEED + batch}")
        clicks, rests = clicks + of_batch[0], rests + of_batch[1]
    assert clicks > RECORDS / 2
    assert rests > RECORDS / 5
