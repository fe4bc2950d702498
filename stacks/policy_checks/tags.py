"""Each stack has the tags by which costs and owners are found; CloudFormation passes them on to resources."""

from collections.abc import Iterator

from settings import Settings
from stacks.policy_checks.assembly import CheckedAssembly
from stacks.policy_checks.rule import PolicyCheck, Violation

PROJECT = "click-trends"


def stack_tags(settings: Settings) -> dict[str, str]:
    """The tags of every stack of an environment.

    On the stack and not on each resource: CloudFormation gives them to whatever takes tags.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """
    return {"project": PROJECT, "environment": settings.environment}


def rule(wanted: dict[str, str]) -> PolicyCheck:
    def check(assembly: CheckedAssembly) -> Iterator[Violation]:
        for stack in assembly.stacks:
            for key, value in wanted.items():
                if stack.tags.get(key) != value:
                    yield Violation(on=stack, detail=f"{key}={value}")

    return PolicyCheck(
        id="Tags",
        says="A stack lacks a tag, and with it everything in it",
        advice="Make the stack in stacks/app.py with tags=stack_tags(settings).",
        check=check,
        can_be_acknowledged=False,
    )
