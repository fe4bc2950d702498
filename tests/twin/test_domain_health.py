"""The health of the search domain, as its API tells it."""

from names import OREGON
from twin.domain_health import described
from twin.emulator import Emulator


def test_the_health_is_what_opensearch_says() -> None:
    said = {"status": "yellow", "number_of_data_nodes": 1, "active_shards": 5, "unassigned_shards": 2}
    assert described(said) == {
        "DomainState": "Active",
        "ClusterHealth": "Yellow",
        "DataNodeCount": "1",
        "TotalShards": "7",
        "TotalUnAssignedShards": "2",
    }


def test_a_domain_is_not_available_without_its_server(emulator: Emulator) -> None:
    opensearch = emulator.client("opensearch", OREGON)
    opensearch.create_domain(DomainName="any")
    try:
        assert opensearch.describe_domain_health(DomainName="any")["ClusterHealth"] == "NotAvailable"
    finally:
        opensearch.delete_domain(DomainName="any")
