"""Whether a role may do what it asks of Managed Service for Apache Flink: MiniStack decides on no call of
this service, which allows each.

CreateApplication has no resource types, so only a statement about `*` allows it, and it needs iam:PassRole of
the application's role besides
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_kinesisanalyticsv2.html).
"""

import json
from contextvars import ContextVar
from types import ModuleType
from typing import Any

NEEDED_OF_IAM_ACTIONS = ("SERVICE_TO_IAM_NAMESPACE", "extract_resource_arn")
SERVICE, NAMESPACE = "kinesisanalyticsv2", "kinesisanalytics"
WITHOUT_RESOURCE = {"CreateApplication", "DiscoverInputSchema", "ListApplications"}

_given_role = ContextVar("given_role", default="")


def decide(iam_actions: ModuleType, iam_evaluator: ModuleType) -> None:
    """iam_actions, iam_evaluator: of ministack.core."""
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = NAMESPACE
    of_request, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        if service != SERVICE:
            return str(of_request(service, method, path, *rest))
        headers, body, _, region, account = rest
        asked = _asked(body)
        _given_role.set(
            str(asked.get("ServiceExecutionRole") or asked.get("ServiceExecutionRoleUpdate") or "")
        )
        action, name = str(headers.get("x-amz-target", "")).rpartition(".")[2], asked.get("ApplicationName")
        if action in WITHOUT_RESOURCE or not name:
            return "*"
        return f"arn:aws:{NAMESPACE}:{region}:{account}:application/{name}"

    def enforced(access_key: str, action: str, service: str, *rest: Any, **options: Any) -> Any:
        denied = enforce(access_key, action, service, *rest, **options)
        if denied is None and service == SERVICE and (role := _given_role.get()):
            to_the_service = {"iam:PassedToService": f"{NAMESPACE}.amazonaws.com"}
            region = rest[0] if rest else options["region"]
            return enforce(
                access_key, "iam:PassRole", "iam", region, resource_arn=role, service_context=to_the_service
            )
        return denied

    iam_actions.extract_resource_arn = extract_resource_arn  # type: ignore[attr-defined]
    iam_evaluator.enforce = enforced  # type: ignore[attr-defined]


def _asked(body: bytes) -> dict[str, Any]:
    """Of a body that the service itself will refuse: nothing."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
