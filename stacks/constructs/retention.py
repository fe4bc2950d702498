"""Deleting data needs two keys: the setting `allow_destroy` and `-c destroy=yes` at the command line."""

from dataclasses import dataclass

from aws_cdk import Annotations, RemovalPolicy
from constructs import IConstruct


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What becomes of data when its stack is deleted: kept, unless both keys were turned.

    allowed: the setting `allow_destroy`; asked: `-c destroy=yes` was given.
    What a failed creation of a stack made is deleted either way: it is empty, and its name must be free for
    the next attempt. Stacks have no termination protection, which would stand in the way of that attempt;
    once other stacks use their exports, CloudFormation refuses to delete them: docs/start/deployment.md.
    """

    allowed: bool
    asked: bool

    @property
    def destroys(self) -> bool:
        return self.allowed and self.asked

    @property
    def removal_policy(self) -> RemovalPolicy:
        return RemovalPolicy.DESTROY if self.destroys else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

    def warn_if_one_key_is_missing(self, scope: IConstruct) -> None:
        if self.asked and not self.allowed:
            Annotations.of(scope).add_warning_v2(
                "click-trends:destroy-not-allowed",
                "destroy=yes was given, but the settings say allow_destroy = false: data is kept. "
                "To delete it with its stack, set allow_destroy = true in the environment's file as well.",
            )
        if self.allowed and not self.asked:
            Annotations.of(scope).add_warning_v2(
                "click-trends:destroy-not-asked",
                "The settings say allow_destroy = true, but -c destroy=yes was not given: data is kept. "
                "Give it to delete data with its stack, or set allow_destroy = false.",
            )
