"""The results of the tests in a run's summary."""

import subprocess
import sys
from pathlib import Path

from operations.ci.summary import read, table
from tests.conftest import PROJECT


def test_what_pytest_writes_becomes_a_table(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert '<b>' == 'x'\n"
        "@pytest.fixture\ndef broken(): raise OSError('no disk')\n"
        "def test_error(broken): pass\n"
        "@pytest.mark.skip(reason='no data here')\ndef test_skipped(): pass\n"
    )
    results = tmp_path / "pytest.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}", "."]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    text = table([read(results)], [])
    assert "| pytest | 4 | 2 | 1 |" in text
    assert "❌ test_it.test_bad" in text
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "no disk" in text
    assert "- test_it.test_skipped: " in text
    assert text.count("<details>") == text.count("</details>")


def test_results_that_were_cut_short_are_said_to_be_missing(tmp_path: Path) -> None:
    file = tmp_path / "pytest.xml"
    file.write_text('<testsuites><testsuite><testcase name="half')
    command = [sys.executable, "-m", "operations.ci.summary", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "**no results**" in done.stdout


def test_what_surefire_writes_is_summed_and_what_is_missing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "surefire-reports"
    folder.mkdir()
    for name, seconds in (("A", "1,200.5"), ("B", "0.5")):
        (folder / f"TEST-{name}.xml").write_text(
            f'<testsuite><testcase classname="{name}" name="works" time="{seconds}"/></testsuite>'
        )
    command = [sys.executable, "-m", "operations.ci.summary", "no/pytest.xml", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "| surefire-reports | 2 | 0 | 0 | 1201 |" in done.stdout
    assert "**no results**: `no/pytest.xml`" in done.stdout
