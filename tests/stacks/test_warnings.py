"""Warnings about an environment reach the person who synthesises it."""

from pathlib import Path

import pytest
from aws_cdk.cx_api import CloudAssembly

from settings import load
from stacks.app import build_app


def test_warnings_reach_the_command_line(
    tmp_path: Path, no_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trial.toml").write_text(
        'environment = "trial"\naccount = "111111111111"\n[peak]\n'
        "clicks_per_second = 2600\nmobile_share = 0.2\n"
    )
    monkeypatch.setattr("stacks.app.load", lambda environment: load(environment, tmp_path))
    assembly: CloudAssembly = build_app("trial", outdir=tmp_path / "out", jar=no_jar).synth()
    messages = [str(message.entry.data) for stack in assembly.stacks for message in stack.messages]
    assert any("click-trends:source-stream-is-cold" in message for message in messages)


def test_no_other_warning_hides_those_that_a_person_must_read(tmp_path: Path, no_jar: Path) -> None:
    assembly: CloudAssembly = build_app("production", outdir=tmp_path, jar=no_jar).synth()
    messages = [str(message.entry.data) for stack in assembly.stacks for message in stack.messages]
    assert not [message for message in messages if "MetricsPeriodsOverridden" in message]
