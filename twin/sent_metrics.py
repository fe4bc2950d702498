"""All that sends the stand-ins' metrics: one publisher a region, and whoever asks the search domain."""

from collections.abc import Iterator

from names import OREGON, TOKYO, Names
from twin.alarms.clock import AlarmClock
from twin.alarms.publisher import MetricPublisher
from twin.domain_metrics import DomainMetrics
from twin.emulator import Emulator
from twin.ended import TwinPart


class SentMetrics:
    """Of a deployed twin; `domain_endpoint` is the server behind the search domain."""

    def __init__(self, emulator: Emulator, names: Names, clock: AlarmClock, domain_endpoint: str) -> None:
        self.oregon = MetricPublisher(emulator, OREGON, clock)
        self.tokyo = MetricPublisher(emulator, TOKYO, clock)
        self.domain = DomainMetrics(self.oregon, domain_endpoint, names.search_domain)

    def parts(self) -> Iterator[TwinPart]:
        workers: dict[str, MetricPublisher | DomainMetrics]
        workers = {"oregon": self.oregon, "tokyo": self.tokyo, "domain": self.domain}
        for name, worker in workers.items():
            yield TwinPart(name=f"metrics-{name}", check=worker.check, start=worker.start_again)

    def stop(self) -> None:
        for worker in (self.domain, self.oregon, self.tokyo):
            worker.stop()
