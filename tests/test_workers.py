"""How `make test` divides the tests among its workers."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import OWN_TWINS, PROJECT

TEST = "import pytest\n@pytest.mark.parametrize('number', range(20))\ndef test_it(number): ...\n"


def test_a_file_and_the_tests_of_a_twin_each_stay_with_one_worker(tmp_path: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    options = next(line for line in makefile.splitlines() if line.startswith("PYTEST :=")).split()[5:]
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "tests" / "end_to_end").mkdir(parents=True)
    (tmp_path / "tests" / "conftest.py").write_text((PROJECT / "tests" / "conftest.py").read_text())
    twin_of = {"test_a.py": "first", "test_b.py": "first", "test_p.py": "second", "test_q.py": "second"}
    own = [Path(file).relative_to("tests") for file in OWN_TWINS]
    files = (*(f"end_to_end/{name}" for name in twin_of), *map(str, own), "test_c.py", "test_d.py")
    twin_of |= {file.name: "own" for file in own}
    for file in files:
        (tmp_path / "tests" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / file).write_text(TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    passed = [line.split() for line in done.stdout.splitlines() if "PASSED" in line]
    workers: dict[str, set[str]] = {}
    for worker, *_, test in passed:
        file = test.split("::")[0]
        workers.setdefault(twin_of.get(Path(file).name, file), set()).add(worker)
    assert len(passed) == 20 * len(files)
    assert [len(those) for those in workers.values()] == [1, 1, 1, 1, 1]
    assert len(set.union(workers["first"], workers["second"], workers["own"])) == 3
