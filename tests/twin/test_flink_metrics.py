"""What is sent of a job, with lists as publisher and job."""

from unittest import mock

from names import TWIN_ACCOUNT, Names
from twin.alarms.publisher import MetricPublisher
from twin.flink_job import FlinkJob, JobState
from twin.flink_metrics import JobMetrics

RUNNING = JobState(status="RUNNING", tasks_run=True, restarts=2, checkpoints=5, failed_checkpoints=1)
RESTARTING = JobState(status="RESTARTING", tasks_run=False, restarts=3, checkpoints=5)


def _sent(state: JobState, *, decoder: float | None = None, behind: float | None = None) -> dict[str, float]:
    publisher = mock.Mock(spec=MetricPublisher)
    metrics = JobMetrics(publisher, Names(environment="test", account=TWIN_ACCOUNT))
    if decoder is not None:
        metrics.unparseable_percent = lambda: decoder
    job = mock.Mock(spec=FlinkJob)
    job.heap_percent.return_value = None
    job.gauges.return_value = {"clicksUnparseablePercent": 4.0}
    metrics.send(job, state, {"segmentsUsers": 7.0}, seconds_behind=behind)
    return {call.args[0].split(" ")[1]: call.args[2] for call in publisher.count.call_args_list}


def test_a_running_job_reports_its_counters_and_gauges_and_how_far_it_is_behind() -> None:
    sent = _sent(RUNNING, behind=1.5)
    assert sent.pop("runningTime") >= 0
    assert sent == {
        "numRestarts": 2,
        "numberOfFailedCheckpoints": 1,
        "segmentsUsers": 7.0,
        "clicksUnparseablePercent": 4.0,
        "millisBehindLatest": 1500.0,
    }


def test_a_job_in_any_other_state_has_no_running_time() -> None:
    sent = _sent(RESTARTING)
    assert sent["runningTime"] == 0
    assert "millisBehindLatest" not in sent


def test_the_transport_reports_where_the_decoder_cannot() -> None:
    assert _sent(RUNNING, decoder=9.0)["clicksUnparseablePercent"] == 9.0
