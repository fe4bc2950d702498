"""What main.py does before Flink starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_sql import main
from contract.click import MAX_CLOCK_AHEAD_SECONDS
from contract.count import WINDOW
from contract.sink import REJECTS_TABLE, REPEATED_CLICK_ID, SINKS
from settings import Settings
from settings.analytics import AnalyticsSettings
from tests.analytics_sql.bounded_run import MAIN
from tests.deployed import deployed_properties

LATENCY_SECONDS = 3600
"""How long a click may wait in a mini-batch where no checkpoint flushes it."""
OUTPUTS = [*((sink.table, sink.name) for sink in SINKS), (REJECTS_TABLE, "rejects")]
ARN = "arn:aws:kinesis:us-west-2:000000000000:stream/click-trends-local-source"
FIREHOSE = {
    "connector": "firehose",
    "aws.region": "us-west-2",
    "sink.http-client.read-timeout": "30000",
    "format": "json",
    "json.timestamp-format.standard": "ISO-8601",
}
ON_AWS: main.Properties = {
    "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "lib/analytics-aws.jar"},
    "clicks": {
        "connector": "kinesis",
        "stream.arn": ARN,
        "aws.region": "us-west-2",
        "aws.http-client.read-timeout": "30000",
        "source.init.position": "TRIM_HORIZON",
    },
    "segments": {
        "connector": "versioned-reference",
        "path": "s3://click-trends-local-segments-000000000000/segments",
        "check-interval": "10 s",
        "history": "26 h",
    },
    **{
        table: {**FIREHOSE, "delivery-stream": f"click-trends-local-{delivery_stream}"}
        for table, delivery_stream in OUTPUTS
    },
    "checks": {"max-age-seconds": "86400", "max-clock-ahead-seconds": "60"},
    "flink": {"pipeline.name": "click-trends-local-analytics"},
}


def ddl(properties: main.Properties, table: str) -> str:
    [statement] = [
        text for text in main.statements(properties, mode="streaming") if f"CREATE TABLE {table} (" in text
    ]
    return statement


def options(statement: str) -> dict[str, str]:
    _, _, clause = statement.partition(") WITH (")
    pairs = (line.strip().rstrip(",").split(" = ") for line in clause.rstrip(")").strip().split("\n"))
    return {key.strip("'"): value.strip("'") for key, value in pairs}


def on_file(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "application_properties.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_the_clicks_table_on_aws_has_the_shape_that_ran() -> None:
    assert options(ddl(ON_AWS, "clicks")) == {
        "connector": "kinesis",
        "stream.arn": ARN,
        "aws.region": "us-west-2",
        "aws.http-client.read-timeout": "30000",
        "source.init.position": "TRIM_HORIZON",
        "format": "flat-json",
        "flat-json.ignore-parse-errors": "true",
        "flat-json.nested-values": "null",
        "flat-json.unparseable-column": "unparseable",
    }


@pytest.mark.parametrize(("table", "delivery_stream"), OUTPUTS)
def test_the_sinks_on_aws_have_the_shape_that_ran(table: str, delivery_stream: str) -> None:
    assert options(ddl(ON_AWS, table)) == {
        "connector": "firehose",
        "delivery-stream": f"click-trends-local-{delivery_stream}",
        "aws.region": "us-west-2",
        "sink.http-client.read-timeout": "30000",
        "format": "json",
        "json.timestamp-format.standard": "ISO-8601",
    }


def test_streaming_publishes_a_changelog_and_bounded_the_counts_themselves() -> None:
    streaming = "\n".join(main.statements(ON_AWS, mode="streaming"))
    bounded = "\n".join(main.statements(ON_AWS, mode="batch"))
    assert "TO_CHANGELOG(input => TABLE counts" in streaming
    assert "TO_CHANGELOG(" not in bounded
    for statements in (streaming, bounded):
        assert statements.count("CREATE TEMPORARY VIEW published_counts AS") == 1
        assert statements.count("CREATE TEMPORARY VIEW validated_clicks AS") == 1
        assert statements.count("INSERT INTO") == len(OUTPUTS)
        assert "${" not in statements


def test_repeated_click_ids_are_dropped_in_streaming_only_and_only_if_asked() -> None:
    asked = ON_AWS | {"checks": ON_AWS["checks"] | {main.REMEMBER_CLICK_IDS: "90000"}}
    for properties, mode, dropped in (
        (asked, "streaming", True),
        (ON_AWS, "streaming", False),
        (asked, "batch", False),
    ):
        statements = "\n".join(main.statements(properties, mode=mode))
        assert (REPEATED_CLICK_ID in statements) is dropped
        assert statements.count("CREATE TEMPORARY VIEW validated_clicks AS") == 1
    assert main.remembered_seconds(asked) == 90_000
    assert main.remembered_seconds(ON_AWS) is None


@pytest.mark.parametrize("value", ["", "-1", "1.5", "one day"])
def test_a_lifetime_of_click_ids_that_is_no_whole_number_is_refused(value: str) -> None:
    asked = ON_AWS | {"checks": ON_AWS["checks"] | {main.REMEMBER_CLICK_IDS: value}}
    with pytest.raises(SystemExit, match="needs a whole number for 'remember-click-ids-seconds'"):
        main.statements(asked, mode="streaming")


def test_a_quote_in_a_value_is_doubled() -> None:
    assert main.render("WITH (${t})", {"t": {"path": "it's"}}, file="t.sql") == "WITH (\n  'path' = 'it''s')"


def test_a_group_that_is_missing_is_named_with_the_file_that_needs_it() -> None:
    with pytest.raises(SystemExit, match=r"10_clicks\.sql needs the property group 'clicks'"):
        main.statements({}, mode="streaming")


@pytest.mark.parametrize("value", [None, "", "-1", "one", "1.5", "1 OR TRUE"])
def test_a_limit_that_is_not_a_whole_number_is_refused(value: str | None) -> None:
    checks = {"max-clock-ahead-seconds": "60"} | ({} if value is None else {"max-age-seconds": value})
    with pytest.raises(
        SystemExit, match="needs a whole number for 'max-age-seconds' in property group 'checks'"
    ):
        main.flink_configuration(ON_AWS | {"checks": checks}, on_msf=True)


def test_properties_are_read_in_the_form_of_the_service(tmp_path: Path) -> None:
    file = on_file(tmp_path, [{"PropertyGroupId": "checks", "PropertyMap": {"max-age-seconds": "1"}}])
    assert main.read_properties(file) == {"checks": {"max-age-seconds": "1"}}


@pytest.mark.parametrize("content", [{"checks": 1}, [1], [{"PropertyGroupId": "checks"}], "text", 7])
def test_properties_of_another_form_are_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(SystemExit, match="is not a JSON list of"):
        main.read_properties(on_file(tmp_path, content))


def test_a_missing_properties_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"missing\.json does not exist: pass the file"):
        main.read_properties(tmp_path / "missing.json")


def test_on_aws_only_keys_that_the_service_allows_are_set() -> None:
    configuration = main.flink_configuration(ON_AWS, on_msf=True)
    assert configuration["pipeline.name"] == "click-trends-local-analytics"
    assert configuration.keys() <= {
        "pipeline.name",
        "pipeline.object-reuse",
        "table.local-time-zone",
        "table.exec.state.ttl",
        "table.exec.mini-batch.enabled",
        "table.exec.mini-batch.allow-latency",
        "table.exec.mini-batch.size",
    }


@pytest.mark.parametrize(
    "key",
    [
        "parallelism.default",
        "execution.checkpointing.interval",
        "state.backend.type",
        "restart-strategy.type",
    ],
)
def test_on_aws_a_key_that_the_service_refuses_is_named(key: str) -> None:
    with pytest.raises(SystemExit, match=f"refuses {key}: take it out of group 'flink'"):
        main.flink_configuration(ON_AWS | {"flink": {key: "1"}}, on_msf=True)


def test_what_the_counts_depend_on_is_set_whatever_the_group_says() -> None:
    wrong = {"table.exec.state.ttl": "1 s", "table.local-time-zone": "Asia/Tokyo"}
    configuration = main.flink_configuration(ON_AWS | {"flink": wrong}, on_msf=True)
    assert configuration["table.exec.state.ttl"] == "93660 s"
    assert configuration["table.local-time-zone"] == "UTC"


def test_a_mini_batch_waits_for_the_longest_publish_interval() -> None:
    """A shorter latency would publish between checkpoints, a longer one is beyond the margin of the state."""
    latency = main.flink_configuration(ON_AWS, on_msf=True)["table.exec.mini-batch.allow-latency"]
    assert latency == f"{LATENCY_SECONDS // 3600} h"
    schema = AnalyticsSettings.model_json_schema()
    longest = schema["properties"]["publish_every_seconds"]["maximum"]
    assert longest < LATENCY_SECONDS < main.STATE_MARGIN_SECONDS


@given(
    window=st.sampled_from([1, 10, 60, 300, 3600, 7200, 14_400, 43_200, 86_400]),
    lateness_hours=st.integers(1, 168),
    times=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    ages=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    flushed=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_no_count_expires_before_its_last_click_whatever_the_window_and_the_lateness(
    window: int,
    lateness_hours: int,
    times: tuple[float, float],
    ages: tuple[float, float],
    flushed: tuple[float, float],
) -> None:
    """Two clicks of one count, each read up to MAX_CLOCK_AHEAD_SECONDS before or `max_age` after it happened,
    and in a mini-batch that is flushed up to LATENCY_SECONDS later. A pause moves only when they are read."""
    max_age = lateness_hours * 3600
    first, last = (
        time * window + (age * max_age if age > 0 else age * MAX_CLOCK_AHEAD_SECONDS) + wait * LATENCY_SECONDS
        for time, age, wait in zip(times, ages, flushed, strict=True)
    )
    assert abs(last - first) < main.state_lifetime_seconds(max_age, window)


def test_the_window_is_that_of_the_longest_sink_which_is_still_there(tmp_path: Path) -> None:
    sinks = {
        "a": {"grain_seconds": 60},
        "b": {"grain_seconds": 7_200},
        "c": {"grain_seconds": 86_400, "gone": True},
    }
    (tmp_path / "operators.json").write_text(json.dumps({"sinks": sinks}))
    assert main.window_seconds(tmp_path) == 7_200
    assert main.window_seconds() == WINDOW.total_seconds()


def test_a_streaming_run_without_the_jar_says_in_one_sentence_what_it_needs(tmp_path: Path) -> None:
    for flink, says in (
        ({}, "needs the URL of the connectors' jar as 'pipeline.jars', such as file:"),
        (
            {"pipeline.jars": "file:///no/such.jar"},
            "names file:///no/such.jar, which is not there or no jar: run `make",
        ),
        ({"pipeline.jars": MAIN.as_uri()}, "main.py, which is not there or no jar: run `make"),
    ):
        groups = {**ON_AWS, "flink": flink}
        content = [{"PropertyGroupId": group, "PropertyMap": values} for group, values in groups.items()]
        file = on_file(tmp_path, content)
        done = subprocess.run(
            [sys.executable, str(MAIN), "--properties", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_sql_is_found_through_the_symbolic_link_that_flink_makes(tmp_path: Path) -> None:
    (tmp_path / "main.py").symlink_to(MAIN)
    found = subprocess.run(
        [sys.executable, "-c", "import main; print(main.SQL_FOLDER)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(MAIN.parent)


def test_on_aws_the_services_properties_are_read_whatever_the_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = [{"PropertyGroupId": "checks", "PropertyMap": {"max-age-seconds": "1"}}]
    ran: list[tuple[main.Properties, bool]] = []
    monkeypatch.setattr(main, "MSF_PROPERTIES", on_file(tmp_path, content))
    monkeypatch.setattr(main, "run", lambda properties, *, on_msf: ran.append((properties, on_msf)))
    monkeypatch.setattr(sys, "argv", ["main.py", "--properties", "elsewhere", "--unknown"])
    main.main()
    assert ran == [({"checks": {"max-age-seconds": "1"}}, True)]


def test_the_properties_of_the_deployed_application_are_those_tested_here() -> None:
    deployed = deployed_properties(Settings(environment="local", account="000000000000"))
    assert deployed == ON_AWS


def test_the_setting_of_repeated_click_ids_becomes_seconds() -> None:
    analytics = AnalyticsSettings(drop_repeated_click_ids_hours=25)
    deployed = deployed_properties(Settings(environment="local", account="000000000000", analytics=analytics))
    assert deployed["checks"] == ON_AWS["checks"] | {main.REMEMBER_CLICK_IDS: "90000"}
