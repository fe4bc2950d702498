"""Whose credentials these are, and what stands in both regions before anything is deployed."""

import os
from collections.abc import Iterator
from functools import partial

from botocore.exceptions import (
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from operations.doctor.aws import Aws
from operations.doctor.check import Check, Diagnosis, lacks, ok
from operations.doctor.deployed import Deployed
from operations.doctor.wanted import WantedResources
from settings import Settings

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Written by `cdk bootstrap`; the templates read the same (BootstrapVersion)."""

ALWAYS_ENABLED = "us-east-1"
"""A region that is not enabled refuses every call, so its state is asked elsewhere."""

WAY_OUT = {
    "ROLLBACK_FAILED": "When a first creation fails",
    "DELETE_FAILED": "Destroy",
    "UPDATE_ROLLBACK_FAILED": "When the update of the application fails",
}
"""Status of a stack that needs a hand -> the section of docs/start/deployment.md."""


def credentials_check(settings: Settings, aws: Aws) -> Check:
    """Without it nothing else of the account can be looked at."""
    return Check(name="credentials", where="account", look=lambda: _credentials(settings, aws))


def checks(wanted: WantedResources, aws: Aws, deployed: Deployed) -> list[Check]:
    settings = wanted.settings
    arn = settings.deployment.boundary_arn(settings.account)
    bounded = (
        [Check(name="permissions boundary", where="account", look=lambda: _boundary(aws, arn))] if arn else []
    )
    return bounded + [
        check
        for region in wanted.regions
        for check in (
            Check(name="region", where=region, look=partial(_enabled, aws, region)),
            Check(name="bootstrap", where=region, look=partial(_bootstrap, wanted, aws, region)),
            Check(name="stacks", where=region, look=partial(_stacks, deployed, region)),
        )
    ]


def _credentials(settings: Settings, aws: Aws) -> Iterator[Diagnosis]:
    choose = "Choose others with AWS_PROFILE, or log in, as with `aws sso login`."
    if settings.is_twin and "AWS_ENDPOINT_URL" not in os.environ:
        yield lacks(
            f"Account {settings.account} exists in the twin only.",
            f"Write your account into environments/{settings.environment}.toml, or choose another "
            "environment with ENVIRONMENT=NAME.",
        )
        return
    try:
        caller = aws.client("sts", ALWAYS_ENABLED).get_caller_identity()
    except NoCredentialsError:
        yield lacks("There are no credentials.", choose)
        return
    except (PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError) as error:
        yield lacks(str(error), choose)
        return
    if caller["Account"] != settings.account:
        yield lacks(
            f"They are of account {caller['Account']} ({caller['Arn']}), environment {settings.environment} "
            f"is of account {settings.account}.",
            choose,
        )
    else:
        yield ok(caller["Arn"])


def _boundary(aws: Aws, arn: str) -> Iterator[Diagnosis]:
    """A role cannot be made with one that is not there."""
    iam = aws.client("iam", ALWAYS_ENABLED)
    try:
        iam.get_policy(PolicyArn=arn)
    except iam.exceptions.NoSuchEntityException:
        yield lacks(
            f"The policy {arn} does not exist.",
            "Ask whoever governs the account for its name, and correct deployment.permissions_boundary.",
        )
    else:
        yield ok(arn)


def _enabled(aws: Aws, region: str) -> Iterator[Diagnosis]:
    """Regions younger than 2019 must be enabled by the account."""
    [found] = aws.client("ec2", ALWAYS_ENABLED).describe_regions(RegionNames=[region], AllRegions=True)[
        "Regions"
    ]
    if found.get("OptInStatus") == "not-opted-in":
        yield lacks(
            f"{region} is not enabled in this account.",
            f"aws account enable-region --region-name {region}; it takes minutes to hours.",
        )
    else:
        yield ok("enabled")


def _bootstrap(wanted: WantedResources, aws: Aws, region: str) -> Iterator[Diagnosis]:
    remedy = f"npx cdk bootstrap aws://{wanted.settings.account}/{region}"
    ssm = aws.client("ssm", region)
    found = ssm.get_parameters(Names=[BOOTSTRAP_PARAMETER])["Parameters"]
    if not found:
        yield lacks("The CDK's bootstrap is missing.", remedy)
        return
    version = int(found[0]["Value"])
    if version < wanted.bootstrap_version:
        yield lacks(
            f"The CDK's bootstrap is of version {version}, {wanted.bootstrap_version} is needed.", remedy
        )
    else:
        yield ok(f"version {version}, {wanted.bootstrap_version} is needed")


def _stacks(deployed: Deployed, region: str) -> Iterator[Diagnosis]:
    states = deployed.states(region)
    bad = False
    for stack, state in states.items():
        if state in WAY_OUT:
            bad = True
            yield lacks(
                f"{stack} is {state}.", f'docs/start/deployment.md, "{WAY_OUT[state]}", has the way out.'
            )
        elif state.endswith("IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":  # of which nothing is made yet
            bad = True
            yield lacks(f"{stack} is {state}.", "Wait until it is done.")
    if not bad:
        found = ", ".join(f"{stack} {state}" for stack, state in states.items())
        yield ok(found or "none yet: the first deployment makes them")
