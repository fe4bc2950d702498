"""What only a setting makes is on the page too: the templates with every option show every statement."""

from collections.abc import Mapping

import pytest
from aws_cdk import App
from pydantic import BaseModel

from operations.permissions.deciding import ALLOW, Role, decision
from operations.permissions.options import added, with_every_option
from settings import consistency
from tests.stacks.permissions.made_at import every_place
from tests.stacks.permissions.other_calls import OtherCall, calls_with_options, other_calls

GUESTS = {f"kinesis:{action}" for action in ("PutRecord", "PutRecords")}
EXCLUDED = {("mobile_apps", "issuer_provider_arn")}
"""By issuer, which makes a provider besides."""


def test_every_place_that_makes_a_role_or_a_statement_runs_with_every_option(
    app_with_options: tuple[App, set[str]],
) -> None:
    _, places = app_with_options
    assert every_place() - places == set(), "add the setting that makes it to OPTIONS"


def test_the_options_fit_each_other() -> None:
    assert list(consistency.problems(with_every_option())) == []


def test_every_optional_setting_is_among_the_options() -> None:
    """One without a value, or off, could make a permission once it is given."""
    unset = {
        (section, key)
        for section, model in with_every_option()
        if isinstance(model, BaseModel)
        for key, value in model
        if value is None or value is False
    }
    assert unset == EXCLUDED


def test_these_are_the_only_permissions_that_a_setting_makes(
    roles: Mapping[str, Role], roles_with_options: Mapping[str, Role]
) -> None:
    made = {
        name: {str(statement["Sid"]) for statement in role.statements}
        for name, role in added(roles_with_options, roles).items()
    }
    assert made == {
        "mobile-guest": {"PutsClicks"},
        "segments-publisher": {"SaysWhatWasRefused", "EncryptsItForTheTopic"},
    }


@pytest.mark.parametrize("other", tuple(other_calls()), ids=str)
def test_an_option_lets_nobody_make_another_call(
    roles_with_options: Mapping[str, Role], other: OtherCall
) -> None:
    may = {name for name, role in roles_with_options.items() if decision(role, other.by(name)) == ALLOW}
    guests = {"mobile-guest"} if "mobile-app" in other.allowed_roles and other.action in GUESTS else set()
    assert may == other.allowed_roles | guests


@pytest.mark.parametrize("other", calls_with_options(), ids=str)
def test_only_the_publisher_tells_the_topic_and_uses_its_key_for_it(
    roles_with_options: Mapping[str, Role], other: OtherCall
) -> None:
    may = {name for name, role in roles_with_options.items() if decision(role, other.by(name)) == ALLOW}
    assert may == other.allowed_roles
