"""The rules as a plugin of the CDK's validation: a finding ends the synthesis, with advice."""

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from settings import Settings
from stacks.constructs.retention import Retention
from stacks.policy_checks import access, data, functions, physical_names, tags
from stacks.policy_checks.assembly import read_assembly
from stacks.policy_checks.rule import PolicyCheck

PACK = "PolicyChecks"


@jsii.implements(IPolicyValidationPlugin)
class PolicyChecks:
    """Validations.of(app).add_plugins(PolicyChecks(...)), beside cdk-nag.

    The CDK takes a finding away that was acknowledged on its resource; a fatal one it never does.
    """

    def __init__(self, *, settings: Settings, retention: Retention) -> None:
        self.rules: tuple[PolicyCheck, ...] = (
            physical_names.rule(settings.names),
            functions.LOG_RETENTION,
            functions.FUNCTION_ALARM,
            # Each message is an invocation that failed, and the next one, a minute later, does the same work.
            data.rule(
                both_keys_turned=retention.destroys,
                expendable=frozenset({settings.names.feedback_dead_letters}),
            ),
            access.GRANT,
            access.PUBLIC,
            access.REASON,
            tags.rule(tags.stack_tags(settings)),
        )

    @property
    def name(self) -> str:
        return PACK

    @property
    def version(self) -> str:
        return "1.0.0"

    @property
    def rule_ids(self) -> list[str]:
        return [rule.id for rule in self.rules]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        assembly = read_assembly(context)
        violations = [
            PolicyViolation(
                rule_name=rule.name_of(finding),
                description=rule.says,
                fix=rule.advice,
                severity="error" if rule.can_be_acknowledged else "fatal",
                violating_resources=[
                    PolicyViolatingResource(construct_path=finding.on.path, locations=[finding.detail])
                ],
            )
            for rule in self.rules
            for finding in rule.broken(assembly)
        ]
        return PolicyValidationPluginReport(success=not violations, violations=violations)
