"""In the emulator's process: metrics that MiniStack lacks or counts otherwise, as the services send them.

- Kinesis: what is put and read, and how late each read is (`GetRecords.IteratorAgeMilliseconds`, 0 at a
  shard's end);
- Firehose: what is put directly;
- Lambda: one Invocations, Errors, Throttles and Duration for each invocation, however it was asked for; a
  throttled one counts in Throttles alone;
- our functions: the embedded metrics in their logs (CloudWatch Logs user guide, "Specification: Embedded
  metric format").

Each value joins the statistic set of its second, because producers and consumers call many times a second.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch, firehose, kinesis, lambda_svc

NEEDED_OF_KINESIS = ("_put_record", "_put_records", "_get_records", "_shard_iterators", "_streams")
NEEDED_OF_FIREHOSE = ("_HANDLERS",)
NEEDED_OF_LAMBDA = ("_emit_lambda_metrics", "_emit_lambda_logs", "_execute_function_dispatch")
NEEDED_OF_CLOUDWATCH = ("_metric_bucket", "_dims_key")


def add(
    name: str,
    dimensions: Mapping[str, str],
    values: Sequence[float],
    unit: str,
    at: float | None = None,
) -> None:
    """To the region of the request that is served.

    name: with its namespace, as `AWS/Lambda Errors`; at: when, in seconds since 1970, now if omitted.
    """
    if not values:
        return
    second = int(time.time() if at is None else at)
    namespace, plain = name.split(" ")
    points = cloudwatch._metric_bucket((namespace, plain, cloudwatch._dims_key(dict(dimensions))))
    low, high, total = min(values), max(values), sum(values)
    if points and points[-1]["Timestamp"] == second and "_stat" in points[-1]:
        statistics = points[-1]["_stat"]
        statistics["SampleCount"] += len(values)
        statistics["Sum"] += total
        statistics["Minimum"] = min(statistics["Minimum"], low)
        statistics["Maximum"] = max(statistics["Maximum"], high)
        points[-1]["Value"] = statistics["Sum"] / statistics["SampleCount"]
        return
    statistics = {"SampleCount": len(values), "Sum": total, "Minimum": low, "Maximum": high}
    points.append(
        {
            "Timestamp": second,
            "Value": total / len(values),
            "Unit": unit,
            "Dimensions": dict(dimensions),
            "_stat": statistics,
        }
    )


def send_service_metrics() -> None:
    """Wrap MiniStack's operations; after all else that wraps them."""
    _count_puts_of_streams()
    _count_reads_of_streams()
    _count_direct_puts()
    _count_invocations()
    _read_embedded_metrics()


def _count_puts_of_streams() -> None:
    put_record, put_records = kinesis._put_record, kinesis._put_records

    def one_put(request: dict[str, Any]) -> Any:
        answer = put_record(request)
        if answer[0] < 300:
            _count_put("AWS/Kinesis", "StreamName", _stream(request), [request])
        return answer

    def many_put(request: dict[str, Any]) -> Any:
        answer = put_records(request)
        if answer[0] < 300:
            _count_put("AWS/Kinesis", "StreamName", _stream(request), request.get("Records", []))
        return answer

    kinesis._put_record, kinesis._put_records = one_put, many_put


def _count_put(namespace: str, dimension: str, name: str, records: Sequence[Mapping[str, Any]]) -> None:
    dimensions = {dimension: name}
    size = sum(_size(record.get("Data", "")) for record in records)
    add(f"{namespace} IncomingRecords", dimensions, [float(len(records))], "Count")
    add(f"{namespace} IncomingBytes", dimensions, [float(size)], "Bytes")


def _stream(request: Mapping[str, Any]) -> str:
    return str(request.get("StreamName") or request["StreamARN"].rsplit("/", 1)[-1])


def _size(data: str | bytes) -> int:
    """data: in base64."""
    return len(data) * 3 // 4


def _count_reads_of_streams() -> None:
    get_records = kinesis._get_records

    def read(request: dict[str, Any]) -> Any:
        state = kinesis._shard_iterators.get(request.get("ShardIterator"))
        answer = get_records(request)
        if state and answer[0] < 300:
            said = json.loads(answer[2])
            dimensions = {"StreamName": state["stream"]}
            records, late = float(len(said["Records"])), float(said["MillisBehindLatest"])
            add("AWS/Kinesis GetRecords.Records", dimensions, [records], "Count")
            add("AWS/Kinesis GetRecords.IteratorAgeMilliseconds", dimensions, [late], "Milliseconds")
        return answer

    kinesis._get_records = read


def _count_direct_puts() -> None:
    put_record = firehose._HANDLERS["PutRecord"]
    put_batch = firehose._HANDLERS["PutRecordBatch"]

    def one_put(request: dict[str, Any]) -> Any:
        answer = put_record(request)
        if answer[0] < 300:
            name = request["DeliveryStreamName"]
            _count_put("AWS/Firehose", "DeliveryStreamName", name, [request["Record"]])
        return answer

    def many_put(request: dict[str, Any]) -> Any:
        answer = put_batch(request)
        if answer[0] < 300:
            name = request["DeliveryStreamName"]
            _count_put("AWS/Firehose", "DeliveryStreamName", name, request["Records"])
        return answer

    firehose._HANDLERS |= {"PutRecord": one_put, "PutRecordBatch": many_put}


def _count_invocations() -> None:
    dispatch = lambda_svc._execute_function_dispatch

    def dispatched(
        function: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
    ) -> Any:
        result = dispatch(function, config, event, request_id, started)
        dimensions = {"FunctionName": config.get("FunctionName", "")}
        failed = float(isinstance(result, dict) and bool(result.get("error")))
        add("AWS/Lambda Invocations", dimensions, [1.0], "Count")
        add("AWS/Lambda Errors", dimensions, [failed], "Count")
        add("AWS/Lambda Throttles", dimensions, [0.0], "Count")
        add("AWS/Lambda Duration", dimensions, [(time.time() - started) * 1000], "Milliseconds")
        return result

    def throttled(function_name: str, duration_ms: float, *, throttle: bool, **_: bool) -> None:
        """MiniStack calls this for an invocation of the API, and first, with no duration, if it is
        throttled."""
        if throttle and not duration_ms:
            add("AWS/Lambda Throttles", {"FunctionName": function_name}, [1.0], "Count")

    lambda_svc._execute_function_dispatch = dispatched
    lambda_svc._emit_lambda_metrics = throttled


def _read_embedded_metrics() -> None:
    emit = lambda_svc._emit_lambda_logs

    def emitted(function: Any, request_id: str, log: str, *others: Any, **named: Any) -> Any:
        for line in (log or "").splitlines():
            for metric in embedded(line):
                add(*metric)
        return emit(function, request_id, log, *others, **named)

    lambda_svc._emit_lambda_logs = emitted


Added = tuple[str, dict[str, str], list[float], str, float]


def embedded(line: str) -> list[Added]:
    """What a log's line adds, as `add` takes it; nothing if it is no embedded metric."""
    if '"_aws"' not in line:
        return []
    try:
        said = json.loads(line)
        at = said["_aws"]["Timestamp"] / 1000
        return [
            (
                f"{directive['Namespace']} {metric['Name']}",
                {name: str(said[name]) for name in names},
                [float(value) for value in _listed(said[metric["Name"]])],
                metric.get("Unit", "None"),
                at,
            )
            for directive in said["_aws"]["CloudWatchMetrics"]
            for names in directive["Dimensions"]
            for metric in directive["Metrics"]
        ]
    except (ValueError, TypeError, KeyError):
        return []  # CloudWatch ignores what is not in the format


def _listed(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list) else [values]
