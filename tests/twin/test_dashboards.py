"""The twin's emulated AWS takes the templates' dashboards, with each reference resolved."""

import json
from pathlib import Path

import pytest

from names import OREGON, TOKYO
from settings import load
from stacks.app import build_app
from twin.emulator import Emulator
from twin.processes import wait_for

NAMES = load("local").names


@pytest.mark.parametrize(
    ("region", "stack", "dashboard"),
    [(TOKYO, "TokyoIngest", NAMES.tokyo_dashboard), (OREGON, "OregonAnalytics", NAMES.oregon_dashboard)],
)
def test_a_dashboard_exists_under_its_name_with_a_json_body(
    emulator: Emulator, tmp_path: Path, region: str, stack: str, dashboard: str
) -> None:
    app = build_app("local", outdir=tmp_path / "out", jar=tmp_path / "no.jar")
    app.synth()
    template = json.loads((tmp_path / "out" / f"{NAMES.stack(stack)}.template.json").read_text())
    resources = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Dashboard"
    }
    # The one resource that a dashboard refers to, with a `Ref` as short as an event source mapping's.
    for logical_id in template["Resources"]:
        if f'{{"Ref": "{logical_id}"}}' in json.dumps(resources):
            resources[logical_id] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "stands-in"}}
    cloudformation = emulator.client("cloudformation", region)
    cloudformation.create_stack(StackName=dashboard, TemplateBody=json.dumps({"Resources": resources}))

    def status() -> str:
        found: str = cloudformation.describe_stacks(StackName=dashboard)["Stacks"][0]["StackStatus"]
        return found

    wait_for(lambda: not status().endswith("IN_PROGRESS"), what="the stack", timeout_seconds=30)
    assert status() == "CREATE_COMPLETE"
    found = emulator.client("cloudwatch", region).get_dashboard(DashboardName=dashboard)
    widgets = json.loads(found["DashboardBody"])["widgets"]
    assert len(widgets) > 20
    assert len(resources) == 1 or "stands-in" in found["DashboardBody"]
