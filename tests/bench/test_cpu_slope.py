"""The command that compares states of the project, and settings of Flink."""

import argparse
from pathlib import Path

import pytest

from bench.cpu_slope import properties, settings_of


def test_settings_are_pairs_with_commas_between_them() -> None:
    assert settings_of("a.b=1 h,c=x=y") == {"a.b": "1 h", "c": "x=y"}


@pytest.mark.parametrize("text", ["", "a", "a=", "=1", "a=1,", "a=1,b"])
def test_a_setting_without_a_key_or_a_value_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write KEY=VALUE"):
        settings_of(text)


def test_a_setting_replaces_the_one_of_the_benchmark(tmp_path: Path) -> None:
    groups = properties(tmp_path, tmp_path, tmp_path, {"state.backend.type": "hashmap", "a": "1"})
    flink = next(group["PropertyMap"] for group in groups if group["PropertyGroupId"] == "flink")
    assert isinstance(flink, dict)
    assert (flink["state.backend.type"], flink["a"], flink["parallelism.default"]) == ("hashmap", "1", "2")
