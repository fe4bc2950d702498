"""How much a benchmark run measures: everything, a part, or a little of each."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Numbers of clicks, users and so on; by default those of a full run."""

    name: str = "full"
    small_clicks: int = 2_000_000
    large_clicks: int = 10_000_000
    users: int = 200_000
    runs: int = 2
    timed_clicks: int = 6_000_000
    timed_runs: int = 5
    decoder_small_clicks: int = 1_000_000
    decoder_large_clicks: int = 4_000_000
    decoder_turns: int = 5
    decoder_seconds: float = 1.0
    curve_small_clicks: int = 1_000_000
    curve_large_clicks: int = 4_000_000
    curve_users: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    curve_temporal_users: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    curve_temporal_clicks: tuple[int, int] = (200_000, 800_000)
    curve_articles: tuple[int, ...] = (1_000, 30_000, 1_000_000)
    curve_state_clicks: tuple[int, ...] = (1_000_000, 4_000_000, 8_000_000)
    curve_parallelism: tuple[int, ...] = (1, 2)
    repetition_clicks: tuple[int, int] = (2_000_000, 20_000_000)
    repetition_small_runs: int = 2
    repetition_large_runs: int = 1
    reference_users: tuple[int, ...] = (1_000_000, 5_000_000, 10_000_000)
    reconciled_day_clicks: tuple[int, ...] = (2_000_000, 10_000_000)
    reconciled_hour_clicks: tuple[int, ...] = (1_000_000, 4_200_000)
    gap_users: int = 5_000_000
    gap_clicks: int = 16_000_000
    gap_after_clicks: int = 4_000_000
    round_trips_milliseconds: tuple[int, ...] = (0, 50, 150, 300)
    click_bytes: tuple[int, ...] = (300, 1_000, 5_000)
    forwarder_clicks_per_record: tuple[int, ...] = (1, 5, 50, 500)
    publish_seconds: tuple[int, ...] = (1, 5, 15, 60)
    probes: int = 150
    served_publish_seconds: int = 5
    served_probes: int = 10
    throughput_first_rate: int = 7_600
    throughput_steps: int = 10
    throughput_one_click_steps: int = 4
    throughput_seconds: int = 30
    throughput_long_seconds: int = 600
    throughput_long_runs: int = 3
    mobile_client_seconds: int = 30
    search_stages: tuple[int, ...] = (144, 288, 720, 1440)
    search_questions: int = 40
    search_past_days: int = 60


FULL = Scale()
SMALL = Scale(
    name="small",
    small_clicks=1_000_000,
    large_clicks=5_000_000,
    timed_clicks=2_000_000,
    timed_runs=3,
    decoder_small_clicks=500_000,
    decoder_large_clicks=2_000_000,
    decoder_turns=3,
    curve_small_clicks=200_000,
    curve_large_clicks=800_000,
    curve_users=(10_000, 1_000_000),
    curve_temporal_users=(10_000, 200_000),
    curve_temporal_clicks=(100_000, 300_000),
    curve_articles=(1_000, 1_000_000),
    curve_state_clicks=(200_000, 800_000, 1_600_000),
    repetition_clicks=(500_000, 2_000_000),
    reconciled_day_clicks=(500_000, 2_000_000),
    reconciled_hour_clicks=(500_000,),
    gap_clicks=8_000_000,
    gap_after_clicks=2_000_000,
    publish_seconds=(1, 5),
    probes=30,
    served_probes=3,
    throughput_steps=3,
    throughput_one_click_steps=2,
    throughput_seconds=20,
    throughput_long_seconds=60,
    mobile_client_seconds=10,
    search_stages=(72, 144),
    search_questions=20,
    search_past_days=10,
)
QUICK = Scale(
    name="quick",
    small_clicks=500_000,
    large_clicks=2_500_000,
    runs=1,
    timed_clicks=2_000_000,
    timed_runs=1,
    decoder_small_clicks=0,
    decoder_large_clicks=0,
    decoder_turns=3,
    decoder_seconds=0.3,
    curve_users=(),
    curve_temporal_users=(),
    curve_articles=(),
    curve_state_clicks=(),
    curve_parallelism=(),
    repetition_clicks=(100_000, 500_000),
    repetition_small_runs=1,
    reference_users=(1_000_000,),
    reconciled_day_clicks=(100_000, 200_000),
    reconciled_hour_clicks=(100_000,),
    gap_users=0,
    round_trips_milliseconds=(0, 150),
    click_bytes=(300,),
    forwarder_clicks_per_record=(1, 50),
    publish_seconds=(),
    throughput_steps=0,
    mobile_client_seconds=0,
    search_stages=(20, 40),
    search_questions=10,
    search_past_days=0,
)

TEN_MINUTES = Scale(
    name="ten-minutes",
    throughput_first_rate=25_650,
    throughput_steps=1,
    throughput_seconds=10,
    throughput_one_click_steps=0,
    throughput_long_runs=1,
)
"""Of `throughput`, the goal alone: four fifths of the first rate for ten minutes."""

SCALES = {scale.name: scale for scale in (FULL, SMALL, QUICK, TEN_MINUTES)}
