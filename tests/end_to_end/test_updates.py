"""What the functions of custom resources do rarely, invoked as CloudFormation does at an update."""

import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from contract.sink import CLICK_COUNTS
from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE
from lambdas.application_lifecycle.lifecycle import SNAPSHOTS_KEPT
from lambdas.search_bootstrap.configuration import ENDPOINT
from names import OREGON, OREGON_ANALYTICS, counts_alias, day_index
from stacks.search.bootstrap import RESOURCE_TYPE as SEARCH_BOOTSTRAP
from tests.end_to_end.conftest import Pipeline
from twin.emulator import Emulator

INDEX = day_index(CLICK_COUNTS.index_family, date(2000, 1, 1))
ALIAS = counts_alias(CLICK_COUNTS.index_family)


def updated(pipeline: Pipeline, kind: str, function: str, **changed: Any) -> tuple[str, str]:
    """Status and reason of the answer. kind: type of the resource; changed: of its deployed properties."""
    emulator: Emulator = pipeline.twin.emulator
    stack = pipeline.twin.names.stack(OREGON_ANALYTICS)
    template = emulator.client("cloudformation", OREGON).get_template(StackName=stack)["TemplateBody"]
    deployed = template if isinstance(template, Mapping) else json.loads(template)
    [properties] = [
        resource["Properties"] for resource in deployed["Resources"].values() if resource["Type"] == kind
    ]
    answers: list[dict[str, Any]] = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), CloudFormation) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        event = {
            "RequestType": "Update",
            "ResourceType": kind,
            "ResponseURL": f"http://127.0.0.1:{server.server_port}/",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Resource",
            "ResourceProperties": {**properties, **changed},
            "OldResourceProperties": {**properties, **changed},
        }
        try:
            emulator.client("lambda", OREGON).invoke(
                FunctionName=function, Payload=json.dumps(event).encode()
            )
        finally:
            server.shutdown()
            thread.join()
    [answer] = answers
    return answer["Status"], answer["Reason"]


def ask(pipeline: Pipeline, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """OpenSearch itself."""
    data = None if body is None else json.dumps(body).encode()
    url, headers = pipeline.twin.opensearch_endpoint + path, {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_an_update_gives_the_alias_to_a_day_that_no_index_serves(pipeline: Pipeline) -> None:
    names, endpoint = pipeline.twin.names, pipeline.twin.emulator.search_endpoint
    ask(pipeline, "PUT", f"/{INDEX}", {})
    ask(pipeline, "DELETE", f"/{INDEX}/_alias/{ALIAS}")
    try:
        answer = updated(pipeline, SEARCH_BOOTSTRAP, names.search_bootstrap, **{ENDPOINT: endpoint})
        assert answer == ("SUCCESS", "done")
        assert list(ask(pipeline, "GET", f"/{INDEX}/_alias")[INDEX]["aliases"]) == [ALIAS]
    finally:
        ask(pipeline, "DELETE", f"/{INDEX}")


def test_an_update_keeps_the_newest_snapshots_of_the_running_application(pipeline: Pipeline) -> None:
    names = pipeline.twin.names
    service = pipeline.twin.emulator.client("kinesisanalyticsv2", OREGON)
    application = {"ApplicationName": names.application}

    def snapshots() -> list[str]:
        """The oldest first."""
        listed = service.list_application_snapshots(**application, Limit=50)["SnapshotSummaries"]
        return [each["SnapshotName"] for each in listed]

    def take(name: str) -> None:
        """With a second of its own, which is as exactly as the emulator notes when it was taken."""
        service.create_application_snapshot(**application, SnapshotName=name)
        taken = int(time.time())
        pipeline.wait_until(lambda: int(time.time()) > taken, "the next second")

    while len(made := snapshots()) <= SNAPSHOTS_KEPT:
        take(f"surplus-{len(made)}")
    assert updated(pipeline, LIFECYCLE_RESOURCE, names.application_lifecycle) == ("SUCCESS", "done")
    assert snapshots() == made[-SNAPSHOTS_KEPT:]
