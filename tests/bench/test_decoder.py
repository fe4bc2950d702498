"""What the section on the decoder shows of figures in their recorded form, and the format of its files."""

import zipfile
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from bench.records import worst_records
from bench.report import markdown
from bench.scale import QUICK
from bench.sections import decoder
from contract.click import read

FIGURES: dict[str, Any] = {
    "clicks": [1_000, 4_000],
    "cpu_seconds_per_million": {form: [1.5, 1.7] for form in decoder.FORMS} | {decoder.ONE_CLICK: [2.0, 2.0]},
    "decoder_seconds_per_million": {form: [0.15] for form in decoder.FORMS} | {decoder.ONE_CLICK: [0.2]},
    "worst": [{"record": "newlines", "bytes": 1_048_576, "rows": 0, "seconds": [0.002, 0.003]}],
}


def text(figures: dict[str, Any]) -> str:
    return "\n".join(map(markdown, decoder.report(figures)))


def test_each_form_stands_beside_one_click_a_record() -> None:
    shown = text(FIGURES)
    assert "| one click | 2.00 (2.00-2.00) | 0.200 |" in shown
    assert "| 100 lines | 1.60 (1.50-1.70) | 0.150 |" in shown
    assert "A click among 100 lines takes 0.75 times" in shown
    assert "at most 1: reached" in shown
    assert "| newlines | 1,048,576 | 0 | 2.5 (2.0-3.0) |" in shown


def test_a_quick_run_measures_the_decoder_alone() -> None:
    shown = text(FIGURES | {"clicks": [0, 0], "cpu_seconds_per_million": {}})
    assert "| a record holds | the decoder alone |" in shown
    assert "| one click | 0.200 |" in shown
    assert "slope" not in shown


@pytest.mark.skipif(which("javac") is None, reason="the section needs a Java compiler")
def test_every_form_and_the_worst_records_are_decoded_whole() -> None:
    scale = replace(QUICK, decoder_turns=1, decoder_seconds=0.01, users=10)
    figures = decoder.measure(scale)
    assert all(len(seconds) == 1 for seconds in figures["decoder_seconds_per_million"].values())
    found = {each["record"]: each["rows"] for each in figures["worst"]}
    assert found == {name: len(read(record)) for name, record in worst_records().items()}


@pytest.mark.skipif(which("javac") is None, reason="the section needs a Java compiler")
def test_the_format_of_the_files_is_built_with_its_service(tmp_path: Path) -> None:
    with zipfile.ZipFile(decoder.compiled(tmp_path)) as jar:
        [service] = jar.read("META-INF/services/org.apache.flink.table.factories.Factory").split()
        assert service.decode().replace(".", "/") + ".class" in jar.namelist()
