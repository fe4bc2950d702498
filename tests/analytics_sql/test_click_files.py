"""Which files a bounded run reads, and that it never silently leaves one out."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest

from analytics_sql.click_files import click_files, link, read_click_files
from contract.click import clicks_in, unparseable_in
from tests.aggregated import aggregated

CLICK = b'{"click_id":"1"}\n'
OTHER = b'{"click_id":"2"}\n'


def write(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return file


def test_a_folder_without_click_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ".DS_Store", b"")
    with pytest.raises(SystemExit, match=r"there is no \*\.json or \*\.json\.gz file"):
        click_files(tmp_path)


@pytest.mark.parametrize("name", ["_old/a.json", ".a.json.gz", "day/_a.json"])
def test_a_file_that_may_not_be_complete_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, "good.json", CLICK)
    write(tmp_path, name, CLICK)
    with pytest.raises(SystemExit, match=r"starts with '.' or '_' means that the file is incomplete"):
        click_files(tmp_path)


@pytest.mark.parametrize("name", ["a.ndjson", "a.JSON", "a.gz", "a.json.gz.part", "a", "day/a.csv"])
def test_a_file_with_another_name_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, "good.json", CLICK)
    write(tmp_path, name, CLICK)
    with pytest.raises(SystemExit, match=r"is not a file named .* so it would not be read; rename or"):
        click_files(tmp_path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "clicks", "good.json", CLICK)
    strange = tmp_path / "clicks" / "a.json"
    (tmp_path / "elsewhere").mkdir()
    for target in (tmp_path / "elsewhere", tmp_path / "nothing", None):
        if target is None:
            os.mkfifo(strange)
        else:
            strange.symlink_to(target)
        with pytest.raises(SystemExit, match=r"a\.json is not a file named"):
            click_files(tmp_path / "clicks")
        strange.unlink()


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.json", CLICK)
    (tmp_path / "secret").mkdir()
    scandir = os.scandir

    def refused(folder: str) -> object:
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(SystemExit, match="secret cannot be listed: Permission denied"):
        click_files(tmp_path)


def test_names_of_any_kind_are_read_at_any_depth(tmp_path: Path) -> None:
    names = ["2026-01-31T12:00:00Z.json", "day:1/日 本%zz.json.gz", "x.json/y.json", "line\nbreak.json"]
    files = [write(tmp_path / "clicks", name, CLICK + b"%d\n" % n) for n, name in enumerate(names)]
    files.append(write(tmp_path / "clicks", os.fsdecode(b"\xff.json"), CLICK + b"9\n"))
    found = read_click_files(click_files(tmp_path / "clicks"))
    assert {content.file for content in found.read} == set(files)
    links = tmp_path / "links"
    links.mkdir()
    link(found, links)
    assert {file.resolve() for file in links.iterdir()} == set(files)
    assert all(file.name[:-5].isalnum() or file.name.endswith(".json.gz") for file in links.iterdir())
    assert "\n".join(found.remarks()).encode()  # any terminal takes it


@pytest.mark.parametrize("copy", ["b.json", "b.json.gz", "day/a.json"])
@pytest.mark.parametrize("content", [CLICK + OTHER, CLICK + b"\n" + OTHER.rstrip()])
def test_lines_in_two_files_are_read_once(copy: str, content: bytes, tmp_path: Path) -> None:
    first = write(tmp_path, "a.json", CLICK + OTHER)
    second = write(tmp_path, copy, content)
    found = read_click_files(click_files(tmp_path))
    assert [read.file for read in found.read] == [first]
    assert (found.lines, found.clicks) == (2, 2)
    assert found.remarks() == [
        f"left out 1 file with 2 lines, whose content stands in another file, such as {second} in {first}"
    ]


@pytest.mark.parametrize("content", [CLICK, OTHER + CLICK, CLICK + OTHER + OTHER])
def test_a_part_of_another_file_or_another_order_is_read(content: bytes, tmp_path: Path) -> None:
    write(tmp_path, "a.json", CLICK + OTHER)
    write(tmp_path, "b.json", content)
    found = read_click_files(click_files(tmp_path))
    assert len(found.read) == 2
    assert found.remarks() == []


def test_a_gzip_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.json", CLICK)
    for number, damage in enumerate((gzip.compress(CLICK * 50)[:-12], CLICK, gzip.compress(CLICK) + b"x")):
        file = tmp_path / f"{number}.json.gz"
        file.write_bytes(damage)
        with pytest.raises(SystemExit, match=rf"{number}\.json\.gz cannot be read: .* Fetch it again"):
            read_click_files([tmp_path / "a.json", file])


def test_gzip_under_a_plain_name_or_twice_is_refused(tmp_path: Path) -> None:
    plain, twice = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_bytes(gzip.compress(CLICK))
    twice.write_bytes(gzip.compress(gzip.compress(CLICK)))
    for file in (plain, twice):
        with pytest.raises(SystemExit, match="is gzip: name it"):
            read_click_files([file])


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"gone\.json cannot be read: .*No such file"):
        read_click_files([tmp_path / "gone.json"])


@pytest.mark.parametrize("content", [b"", b"\n \n", b"no json\n", "a,b\n日,本\n".encode("shift_jis")])
def test_files_without_any_click_are_an_error(content: bytes, tmp_path: Path) -> None:
    write(tmp_path, "a.json", content)
    with pytest.raises(SystemExit, match=r"--clicks holds no click .*give JSON objects in UTF-8, none over"):
        read_click_files(click_files(tmp_path))


def test_the_first_unparseable_line_is_named_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "a.json", CLICK)
    japanese = '{"click_id":"日"}\n'
    file = write(tmp_path, "b.json", b"\n" + CLICK + japanese.encode("shift_jis") + b"x\n")
    found = read_click_files(click_files(tmp_path))
    assert (found.lines, found.clicks, found.unparseable, found.received) == (4, 2, 2, 4)
    assert found.remarks() == [f"first unparseable: {file}, line 3"]


ONE = CLICK.rstrip()


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize(
    ("content", "first_unparseable"),
    [
        (ONE * 3 + b" " + ONE + b"\n", None),
        (ONE + b"\r" + ONE + b"\r\n" + ONE, None),
        (b" [" + ONE + b"," + ONE + b"] []\n", None),
        (ONE + b"\n" + ONE + b" cut\n7", 2),
        (b'{"click_id":\n "1"}\n' + CLICK, 1),
        (b"\xef\xbb\xbf" + CLICK + b"\xef\xbb\xbf" + CLICK + ONE + b"\xef\xbb\xbf", 3),
        (CLICK + b"\x0b\n\t \r\n\0\n", 2),
        (CLICK + aggregated([ONE]), 2),
    ],
)
def test_lines_of_many_clicks_are_read_as_the_contract_says(
    name: str, content: bytes, first_unparseable: int | None, tmp_path: Path
) -> None:
    found = read_click_files([write(tmp_path, name, content)])
    assert (found.clicks, found.unparseable) == (len(clicks_in(content)), unparseable_in(content))
    assert found.read[0].first_unparseable == first_unparseable


def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    write(tmp_path, "a.json", CLICK * 100_000)
    tracemalloc.start()
    try:
        found = read_click_files(click_files(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.lines == 100_000
    assert peak < 1_000_000
