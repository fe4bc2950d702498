"""Projections are compiled as one Java method each: by the plan's settings, and by Flink."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_sql.codegen import METHOD_LIMIT, in_one_piece

PROJECT = Path(__file__).parents[2]
PROJECTIONS, PROJECTIONS_ONCE = 5, 8


def test_only_projections_get_the_limit_and_keep_their_own_settings() -> None:
    plan = {
        "nodes": [
            {"id": 1, "type": "stream-exec-calc_1", "configuration": {"of.its.own": "1"}},
            {"id": 2, "type": "stream-exec-calc_1"},
            {"id": 3, "type": "stream-exec-sink_2", "configuration": {}},
        ]
    }
    assert [node.get("configuration") for node in in_one_piece(plan)["nodes"]] == [
        {"of.its.own": "1", **METHOD_LIMIT},
        METHOD_LIMIT,
        {},
    ]


@pytest.mark.flink
def test_flink_cuts_no_projection_of_the_sql() -> None:
    command = [sys.executable, "-m", "tests.analytics_sql.generated_methods"]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    for methods, number in zip(
        json.loads(done.stdout.splitlines()[-1]), (PROJECTIONS, PROJECTIONS_ONCE), strict=True
    ):
        assert len(methods) == number
        for name, names in methods.items():
            assert [method for method in names if "processElement" in method] == ["processElement"], name
