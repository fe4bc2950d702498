"""The OpenSearch domain that holds the counts."""

from typing import Any

from aws_cdk import CfnUpdatePolicy
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from names import Names
from settings.search import SearchSettings
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.retention import Retention
from stacks.search import access as search_access
from stacks.search.alarms import alarm_on_domain

ENGINE = opensearch.EngineVersion.OPENSEARCH_3_7.version
"""The newest that the pinned CDK knows; the twin runs 3.6.0, the newest that Maven Central has."""


class SearchDomain(Construct):
    """Public endpoint, every request signed, and only the roles named in its access policy get in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        settings: SearchSettings,
        retention: Retention,
    ) -> None:
        super().__init__(scope, construct_id)
        self.domain = opensearch.CfnDomain(
            self,
            "Domain",
            domain_name=names.search_domain,
            engine_version=ENGINE,
            cluster_config=_cluster(settings),
            ebs_options=opensearch.CfnDomain.EBSOptionsProperty(
                ebs_enabled=True, volume_type="gp3", volume_size=settings.volume_gib
            ),
            encryption_at_rest_options=opensearch.CfnDomain.EncryptionAtRestOptionsProperty(enabled=True),
            node_to_node_encryption_options=opensearch.CfnDomain.NodeToNodeEncryptionOptionsProperty(
                enabled=True
            ),
            domain_endpoint_options=opensearch.CfnDomain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            software_update_options=opensearch.CfnDomain.SoftwareUpdateOptionsProperty(
                auto_software_update_enabled=True
            ),
            access_policies=_access_policy(names),
        )
        self.domain.apply_removal_policy(retention.removal_policy)
        # A new engine version upgrades the domain in place; otherwise CloudFormation would replace it, empty.
        self.domain.cfn_options.update_policy = CfnUpdatePolicy(enable_version_upgrade=True)
        when_silent = alarm_on_domain(
            self, domain=names.search_domain, account=names.account, settings=settings
        )
        when_silent.node.add_dependency(self.domain)
        self._acknowledge_findings(settings)

    def _acknowledge_findings(self, settings: SearchSettings) -> None:
        acknowledge(
            self.domain,
            "OS1",
            reason="The reader is in Tokyo and Firehose delivers from its own network: a VPC would need "
            "peering between the regions and network interfaces for Firehose, while every request is "
            "signed and every role named.",
        )
        acknowledge(
            self.domain,
            "OS3",
            reason="Firehose and Lambda have no fixed addresses, and web servers in Tokyo change theirs: "
            "access is decided by role (SigV4), each limited to the paths it needs.",
        )
        acknowledge(
            self.domain,
            "OS4",
            reason="Every data node may be master; three in three zones keep a quorum when one is lost. "
            "Dedicated masters pay off above about ten data nodes.",
        )
        for log in ("SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS"):
            acknowledge(
                self.domain,
                f"OS9[LogExport::{log}]",
                reason="Slow logs need a CloudWatch Logs resource policy, of which an account has ten per "
                "region, and a domain made right after its policy may not see it (coverage roadmap issue "
                "1769). The queries are few aggregations, and the domain's own latency metrics are on.",
            )
        if settings.availability_zones == 1:
            acknowledge(
                self.domain,
                "OS7",
                reason="The settings of this environment ask for one zone: it is for trying out, and its "
                "counts can be made again from the raw backup.",
            )


def _cluster(settings: SearchSettings) -> opensearch.CfnDomain.ClusterConfigProperty:
    zones = settings.availability_zones
    return opensearch.CfnDomain.ClusterConfigProperty(
        instance_type=settings.instance_type,
        instance_count=settings.instance_count,
        zone_awareness_enabled=zones > 1,
        zone_awareness_config=opensearch.CfnDomain.ZoneAwarenessConfigProperty(availability_zone_count=zones)
        if zones > 1
        else None,
    )


def _access_policy(names: Names) -> dict[str, Any]:
    """Who may send what to the domain.

    OpenSearch Service refuses a policy whose principal does not exist yet, and the roles come in later
    stacks; a role deleted and made again would also lose its access, as principals are stored by their
    internal id. So the principal is the account, narrowed by a condition to the role's ARN, which needs no
    role to exist. Such a statement lets a role in only if the role's own policy says the same: see
    docs/decisions.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": access.sid,
                "Effect": access.effect,
                "Principal": {"AWS": f"arn:aws:iam::{names.account}:root"},
                "Action": list(access.actions),
                "Resource": access.resources(names.search_domain_arn),
                "Condition": {"ArnEquals": {"aws:PrincipalArn": names.role_arn(access.role(names))}},
            }
            for access in search_access.ALL
        ],
    }
