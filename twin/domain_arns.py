"""The domain of a request about a search domain, as IAM sees it.

MiniStack looks for it in the body only, while DescribeDomain has it in its path, and would compare a role's
permissions with `*`.
https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomain.html
"""

from types import ModuleType
from typing import Any

NEEDED_OF_IAM_ACTIONS = ("extract_resource_arn",)
_PATH = "/2021-01-01/opensearch/domain/"


def read_domains_from_paths(iam_actions: ModuleType) -> None:
    of_request = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        if service == "opensearch" and path.startswith(_PATH):
            region, account = rest[-2:]
            return f"arn:aws:es:{region}:{account}:domain/{path.removeprefix(_PATH).split('/')[0]}"
        return str(of_request(service, method, path, *rest))

    iam_actions.extract_resource_arn = extract_resource_arn  # type: ignore[attr-defined]
