"""Who can reach what without a permission in a policy: public access, guests, networks and encryption."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cloudformation import as_list, at, referred
from operations.review.differences import Differences, ResourceChange
from operations.review.display_names import shown
from operations.review.findings import Finding, Kind


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A property and what it means when `unsafe(its value)` holds now and did not before. Compared on whole
    resources, so that a new resource is held to it too."""

    type: str
    path: str
    unsafe: Callable[[Any], bool]
    kind: Kind
    means: str


def _not(wanted: Any) -> Callable[[Any], bool]:
    return lambda value: value != wanted


def _world(value: Any) -> bool:
    return "0.0.0.0/0" in json.dumps(value) or "::/0" in json.dumps(value)


_BLOCK = "Properties.PublicAccessBlockConfiguration"
_RULES = (
    *(
        _Rule(
            type="AWS::S3::Bucket",
            path=f"{_BLOCK}.{setting}",
            unsafe=_not(True),
            kind=Kind.PUBLIC,
            means=f"a policy or an access list can make it public: `{setting}` is not true",
        )
        for setting in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    ),
    _Rule(
        type="AWS::S3::Bucket",
        path="Properties.BucketEncryption",
        unsafe=lambda value: not value,
        kind=Kind.ENCRYPTION,
        means="its template says nothing of encryption any more (S3 encrypts with its own key all the same)",
    ),
    _Rule(
        type="AWS::Cognito::IdentityPool",
        path="Properties.AllowUnauthenticatedIdentities",
        unsafe=lambda value: value is not False,
        kind=Kind.PUBLIC,
        means="anyone on the internet who knows its id gets credentials of the guests' role without logging "
        "in",
    ),
    _Rule(
        type="AWS::Cognito::IdentityPool",
        path="Properties.AllowClassicFlow",
        unsafe=lambda value: value not in (None, False),
        kind=Kind.ACCESS,
        means="its classic flow gives credentials that no session policy narrows",
    ),
    _Rule(
        type="AWS::Cognito::UserPool",
        path="Properties.AdminCreateUserConfig.AllowAdminCreateUserOnly",
        unsafe=_not(True),
        kind=Kind.PUBLIC,
        means="anyone on the internet may sign up, and put clicks with the credentials of a reader",
    ),
    _Rule(
        type="AWS::Kinesis::Stream",
        path="Properties.StreamEncryption",
        unsafe=lambda value: not value,
        kind=Kind.ENCRYPTION,
        means="records are stored unencrypted",
    ),
    _Rule(
        type="AWS::OpenSearchService::Domain",
        path="Properties.EncryptionAtRestOptions.Enabled",
        unsafe=_not(True),
        kind=Kind.ENCRYPTION,
        means="counts are stored unencrypted",
    ),
    _Rule(
        type="AWS::OpenSearchService::Domain",
        path="Properties.NodeToNodeEncryptionOptions.Enabled",
        unsafe=_not(True),
        kind=Kind.ENCRYPTION,
        means="its nodes talk to each other unencrypted",
    ),
    _Rule(
        type="AWS::OpenSearchService::Domain",
        path="Properties.DomainEndpointOptions.EnforceHTTPS",
        unsafe=_not(True),
        kind=Kind.ENCRYPTION,
        means="it answers requests without TLS",
    ),
    _Rule(
        type="AWS::EC2::SecurityGroup",
        path="Properties.SecurityGroupIngress",
        unsafe=_world,
        kind=Kind.PUBLIC,
        means="the whole internet may connect",
    ),
    _Rule(
        type="AWS::Lambda::Url",
        path="Properties.AuthType",
        unsafe=lambda value: value == "NONE",
        kind=Kind.PUBLIC,
        means="anyone on the internet may call the function",
    ),
)

_ENCRYPTION_WORDS = ("Encrypt", "Kms", "KMS", "SSE", "Sse", "TLS", "Tls")
_NETWORK_WORDS = ("VPC", "Vpc", "Subnet", "SecurityGroup", "Cidr")


def exposure_findings(changes: Differences) -> Iterator[Finding]:
    for change in changes.resources:
        if change.gone:
            continue
        covered = set()
        yield from _pool_roles(change)
        yield from _copies(change)
        yield from _providers(changes, change)
        for rule in _RULES:
            if rule.type == change.type and _newly_unsafe(change, rule):
                covered.add(rule.path)
                yield Finding(
                    kind=rule.kind,
                    text=f"**The {change.title} ({change.stack.title}) opens: {rule.means}.**"
                    if rule.kind is not Kind.ENCRYPTION
                    else f"**The {change.title} ({change.stack.title}) loses encryption: {rule.means}.**",
                    covers=(change.place(rule.path),),
                )
        yield from _other(change, covered)


def _pool_roles(change: ResourceChange) -> Iterator[Finding]:
    """Which role an identity pool gives to whom."""
    if change.type != "AWS::Cognito::IdentityPoolRoleAttachment":
        return
    for value in change.values:
        who = value.path.removeprefix("Properties.Roles.")
        if value.path != who and value.new is not None:
            yield Finding(
                kind=Kind.ACCESS,
                text=f"**The identity pool gives its {who} users another role**: "
                f"{shown(referred(value.old) or value.old)} → {shown(referred(value.new) or value.new)}.",
                covers=(change.place(value.path),),
            )


def _copies(change: ResourceChange) -> Iterator[Finding]:
    """What a bucket copies to another one."""
    before, after = (at(side, "Properties.ReplicationConfiguration") for side in (change.old, change.new))
    if change.type != "AWS::S3::Bucket" or not after or before == after:
        return
    own = f'"Account": "{change.stack.account}"'
    given = re.findall(r'"Account": "[^"]*"', json.dumps(after))
    whose = "" if all(one == own for one in given) else " of **another account**"
    targets = sorted(set(re.findall(r'"Bucket": "([^"]*)"', json.dumps(after)))) or ["a bucket"]
    yield Finding(
        kind=Kind.ACCESS,
        text=f"**The {change.title} copies its objects to {', '.join(map(shown, targets))}**{whose}: who may "
        "read there reads every click.",
        covers=(change.place("Properties.ReplicationConfiguration"),),
    )


_PROVIDERS = {
    "AWS::Cognito::IdentityPool": (
        *("CognitoIdentityProviders", "OpenIdConnectProviderARNs", "SamlProviderARNs"),
        *("SupportedLoginProviders", "DeveloperProviderName"),
    ),
    "AWS::Cognito::UserPoolClient": ("SupportedIdentityProviders",),
}


def _providers(changes: Differences, change: ResourceChange) -> Iterator[Finding]:
    """Whose users get in."""
    for value in change.values:
        if value.property in _PROVIDERS.get(change.type, ()) and value.new is not None:
            yield Finding(
                kind=Kind.PUBLIC if _foreign(changes, change, value.new) else Kind.ACCESS,
                text=f"**The {change.title} lets in the users of other identity providers**: {value.shown}.",
                covers=(change.place(value.path),),
            )


def _foreign(changes: Differences, change: ResourceChange, value: Any) -> bool:
    """Whether a provider is no user pool of this environment."""
    named = [one.get("ProviderName") if isinstance(one, dict) else one for one in as_list(value)]
    pools = [
        logical_id
        for stack in changes.new.stacks
        if stack.name == change.stack.name
        for logical_id, resource in stack.resources.items()
        if resource.get("Type") == "AWS::Cognito::UserPool"
    ]
    return not all(
        name == "COGNITO" or any(f'"{pool}"' in json.dumps(name) for pool in pools) for name in named
    )


def _newly_unsafe(change: ResourceChange, rule: _Rule) -> bool:
    if not rule.unsafe(at(change.new, rule.path)):
        return False
    return change.old is None or not rule.unsafe(at(change.old, rule.path))


def _other(change: ResourceChange, covered: set[str]) -> Iterator[Finding]:
    """Any other change of encryption or network, whose direction this tool cannot tell."""
    for value in change.values:
        if any(value.path.startswith(path) or path.startswith(value.path) for path in covered):
            continue
        words = [(Kind.ENCRYPTION, "encryption", _ENCRYPTION_WORDS), (Kind.ACCESS, "network", _NETWORK_WORDS)]
        for kind, what, parts in words:
            if value.path.startswith("Properties.") and any(part in value.path for part in parts):
                yield Finding(
                    kind=kind,
                    text=f"The {what} of the {change.title} changes: {value.shown}.",
                    covers=(change.place(value.path),),
                )
                break
