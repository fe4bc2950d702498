"""Whatever is deleted, there twice, or of a wrong type: a page comes out, and says that nothing is at risk
only where that was assessed."""

import json
import random
import re
from pathlib import Path

import pytest

from cloudformation import resources_of
from operations.cost.estimate import estimate_resources
from operations.cost.prices import load_prices
from operations.review.assembly import Assembly
from operations.review.json_report import as_json
from operations.review.page import page
from operations.review.verdict import verdict
from settings import load
from tests.operations.review.edits import edited, reports
from tests.operations.review.template_mutations import WRONG, Mutation, mutations

SAMPLE, SEED = 30, 20260131

HARMLESS = re.compile(
    r".* Properties\.(Alarm|Application)?Description .*"
    # An alarm that notifies sooner, or under another name
    r"|AWS::CloudWatch::Alarm Properties\.(AlarmName|DatapointsToAlarm|EvaluationPeriods|Threshold) .*"
    r"|AWS::CloudWatch::Alarm Properties\.(OKActions|TreatMissingData)\b.*"
    r"|AWS::CloudWatch::Dashboard Properties\.DashboardBody\b.*"
    # A permission that another policy gives too, or a name in a policy
    r"|AWS::IAM::Role Properties\.Policies\b.*"
    r"|AWS::OpenSearchService::Domain Properties\.AccessPolicies\.Statement\b.*"
    r"|AWS::Lambda::Permission  twice"
    # Kept for longer, or no longer cut off
    r"|AWS::(S3::Bucket|Logs::LogGroup) Properties\.(LifecycleConfiguration|RetentionInDays)\b.*"
    r"|\S+ (DeletionPolicy|UpdateReplacePolicy) .*"
    r"|\S+ DependsOn twice"
    # A number that is better, or as good
    r"|AWS::KinesisFirehose::DeliveryStream .*\.BufferingHints\b.*"
    r"|AWS::Lambda::Function Properties\.(MemorySize|Timeout|ReservedConcurrentExecutions) .*"
    # What a custom resource has only to notice that something else changes
    r"|Custom::\w+ Properties\.(Configuration\..*|Definitions|Deployed|StateGeneration) as"
    r"|Custom::\w+ Properties\.Operators\b.*"
)
"""What may be damaged without any risk: read as a reviewer what is added here."""


def sample(production: Assembly) -> dict[str, Mutation]:
    every = list(mutations(production))
    return {str(mutation): mutation for mutation in random.Random(SEED).sample(every, SAMPLE)}


def test_damage_of_any_kind_gives_a_page_that_never_says_too_little(
    production: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = sample(production)
    for name, report in reports(production, chosen, tmp_path, monkeypatch).items():
        assert page(report).startswith("# "), name
        assert json.loads(as_json(report))["verdict"] == verdict(report)
        if verdict(report) == "Nothing at risk":
            assert HARMLESS.fullmatch(chosen[name].place), name


def test_no_variable_of_a_function_goes_or_gets_nonsense_without_a_word(
    production: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {
        str(mutation): mutation
        for mutation in mutations(production)
        if mutation.path[1:3] == ("Environment", "Variables")
        and len(mutation.path) == 4
        and (mutation.how == "delete" or (WRONG[mutation.wrong] == "wrong" and mutation.how == "as"))
    }
    found = reports(production, chosen, tmp_path, monkeypatch)
    assert len(found) > 50
    assert [name for name, report in found.items() if verdict(report) == "Nothing at risk"] == []


def test_damage_of_any_kind_is_priced_or_named_as_not_known(production: Assembly) -> None:
    settings, prices = load("production"), load_prices()
    for mutation in sample(production).values():
        resources = [
            resource
            for stack in edited(production, mutation).stacks
            for resource in resources_of(stack.template, stack=stack.name, region=stack.region)
        ]
        estimate = estimate_resources(resources, settings, prices)
        assert estimate.lines or estimate.unpriced
