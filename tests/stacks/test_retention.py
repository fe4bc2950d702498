"""Every store of the templates states how long it keeps what it holds, and the page says the same."""

import copy
import itertools
from datetime import timedelta
from typing import Any

import pytest

import names
from names import REMAINING_DAYS_TAG, remaining_days_values
from operations.retention_page import PAGE, UnstatedLifeError, page, stores, table

Templates = dict[str, dict[str, Any]]
BUCKET = "AWS::S3::Bucket"


def changed(templates: Templates, kind: str, **properties: Any) -> Templates:
    """The templates with these properties in each resource of a kind; None takes one away."""
    result = copy.deepcopy(templates)
    for template in result.values():
        for resource in template["Resources"].values():
            if resource["Type"] == kind:
                resource["Properties"] |= properties
                for name in [name for name, value in properties.items() if value is None]:
                    del resource["Properties"][name]
    return result


def test_the_page_of_the_retention_is_made_from_the_templates(templates: Templates) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, table(templates)), "run `make docs`"


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (BUCKET, {"LifecycleConfiguration": None}),
        (BUCKET, {"LifecycleConfiguration": {"Rules": [{"Status": "Disabled", "ExpirationInDays": 1}]}}),
        (
            BUCKET,
            {
                "LifecycleConfiguration": {
                    "Rules": [{"Status": "Enabled", "Prefix": "x", "ExpirationInDays": 1}]
                }
            },
        ),
        (BUCKET, {"BucketName": "click-trends-production-another-111111111111"}),
        ("AWS::Logs::LogGroup", {"RetentionInDays": None}),
        ("AWS::SQS::Queue", {"MessageRetentionPeriod": None}),
        ("AWS::Kinesis::Stream", {"RetentionPeriodHours": None}),
        ("AWS::DynamoDB::Table", {"TimeToLiveSpecification": None}),
        ("Custom::SearchBootstrap", {"RetentionDays": None}),
    ],
)
def test_a_store_without_a_stated_life_is_refused(
    templates: Templates, kind: str, properties: dict[str, Any]
) -> None:
    with pytest.raises(UnstatedLifeError):
        list(stores(changed(templates, kind, **properties)))


def test_a_resource_of_a_kind_that_nobody_has_placed_is_refused(templates: Templates) -> None:
    new = copy.deepcopy(templates)
    new["OregonStorage"]["Resources"]["New"] = {"Type": "AWS::EFS::FileSystem", "Properties": {}}
    with pytest.raises(UnstatedLifeError, match="New of OregonStorage is a AWS::EFS::FileSystem"):
        list(stores(new))


def test_every_prefix_of_a_bucket_is_in_the_table(templates: Templates) -> None:
    prefixes = {value for name, value in vars(names).items() if name.endswith("_PREFIX")}
    shown = {store.name.split("`")[1] for store in stores(templates) if store.name.startswith("`")}
    assert shown == prefixes


def test_a_rewritten_object_lives_at_most_a_tenth_longer(templates: Templates) -> None:
    rewritten = ("raw", "rejected", "dead-letters")
    found = 0
    for template in templates.values():
        for resource in template["Resources"].values():
            if resource["Type"] == BUCKET:
                rules = resource["Properties"]["LifecycleConfiguration"]["Rules"]
                by_tag = {
                    int(rule["TagFilters"][0]["Value"]): rule["ExpirationInDays"]
                    for rule in rules
                    if rule.get("TagFilters", [{}])[0].get("Key") == REMAINING_DAYS_TAG
                }
                name = resource["Properties"]["BucketName"]
                if any(f"-{kind}-" in name for kind in rewritten):
                    found += 1
                    assert by_tag == {days: days for days in remaining_days_values(90)}
                else:
                    assert not by_tag
    assert found == len(rewritten)


@pytest.mark.parametrize("days", [1, 2, 9, 10, 11, 90, 365, 3650])
def test_the_steps_of_a_rewritten_objects_life_are_few_and_even(days: int) -> None:
    steps = [0, *remaining_days_values(days), days]
    assert len(steps) <= 11
    assert max(after - before for before, after in itertools.pairwise(steps)) <= max(1, -(-days // 10))
    assert timedelta(days=steps[-1]) == timedelta(days=days)
