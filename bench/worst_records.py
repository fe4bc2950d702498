"""Measures what the forwarder takes for records that anyone may send; prints JSON.

python -m bench.worst_records

Each batch has as many equal records as Lambda hands over. Processor time, and the most memory of a process of
its own, are for all from the event to the packs and the body of the dead letters, without a network.
"""

import json
import multiprocessing
import resource
import time
from collections.abc import Mapping
from typing import Any

from contract.limits import MIB
from lambdas.forwarder.configuration import RULES_FILE
from lambdas.forwarder.dead_letters import body
from lambdas.forwarder.kinesis_event import read_event
from lambdas.forwarder.packing import pack
from lambdas.forwarder.routing import compile_routing
from lambdas.forwarder.rules import load_rules
from lambdas.forwarder.sorting import BatchSorter
from lambdas.shared.destinations import DataStream
from settings.capacity import PAYLOAD_BYTES
from settings.forwarder import ForwarderSettings
from tests.aggregated import aggregated
from tests.lambdas.forwarder.events import event

BATCH_BYTES = PAYLOAD_BYTES * 3 // 4
"""In base64 more do not fit into Lambda's payload."""
_SMALLEST = b'{"click_id":1,"clicked_at":1769862896,"user_id":1,"article_id":1}\n'
_INVALID = b'{"click_id":"a","user_id":"b","article_id":"c","clicked_at":0.}\n'


def worst_records() -> Mapping[str, bytes]:
    """By what the page calls them."""
    nested = b'[{"a":' + b"[" * 900 + b"]" * 900 + b"}]"
    return {
        "`{}` repeated": b"{}" * (MIB // 2),
        "`[` repeated": b"[" * MIB,
        "newlines": b"\n" * MIB,
        "100,000 empty user records of the KPL": aggregated([b""] * 100_000),
        "arrays nested 900 levels": nested * (MIB // len(nested)),
        "smallest clicks that count": _SMALLEST * 5_000,
        "invalid clicks": _INVALID * 5_000,
    }


def measure(record: bytes) -> dict[str, Any]:
    records = [record] * (BATCH_BYTES // len(record))
    text = json.dumps(event(records))
    began = time.process_time()
    stream = DataStream("arn:aws:kinesis:us-west-2:000000000000:stream/source", None)
    sorter = BatchSorter(compile_routing(load_rules(RULES_FILE)), {"source-stream": stream})
    result = sorter.sort(read_event(json.loads(text)))
    packs = list(pack(result.outgoing[stream], stream, ForwarderSettings().record_bytes))
    letters = body([each.letter for each in result.rejected])
    return {
        "record_bytes": len(record),
        "records": len(records),
        "processor": time.process_time() - began,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "forwarded": sum(each.lines for each in packs),
        "rejected": len(result.rejected),
        "letters_mib": len(letters) / MIB,
    }


def main() -> None:
    alone = multiprocessing.get_context("spawn")
    found = {}
    for name, record in worst_records().items():
        with alone.Pool(1) as pool:
            found[name] = pool.apply(measure, (record,))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
