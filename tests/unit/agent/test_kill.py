"""The agent as a process that is killed without warning, over and over, while a log is written."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

KILLS = 5
LINES = 400
LINE = (
    "[2012-11-22 20:{minute:02}:{second:02} 2854] WARNING (XendDomainInfo:2061) Domain has crashed: name=g{n} id={n}.\n"
)


def line(number: int) -> str:
    return LINE.format(minute=number // 60, second=number % 60, n=number)


class Process:
    """`xenwatch agent` with settings in the environment."""

    def __init__(self, folder: Path, cache: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.environment = {
            **os.environ,
            "XENWATCH_AGENT_STATE_DIR": str(folder / "state"),
            "XENWATCH_AGENT_KEEP_INCIDENTS": "5000w",
            "XENWATCH_LOGS_PATHS": str(folder / "xend.log"),
            "XENWATCH_SAMPLING_LIBVIRT_URI": "test:///default",
            "XENWATCH_DIAGNOSIS_CACHE_DIR": str(cache),
            "XENWATCH_WEB_LISTEN": f"127.0.0.1:{self.port}",
        }
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "xenwatch.cli.main", "agent"]
        self.running = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def end(self, number: signal.Signals) -> int:
        assert self.running is not None
        self.running.send_signal(number)
        _, said = self.running.communicate(timeout=30)
        assert b"Traceback" not in said, said.decode()
        return self.running.returncode

    def get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return json.loads(answer.read())
        except OSError:
            return None

    def crashes(self) -> dict[str, int]:
        """How often each guest's crash was counted."""
        answer = self.get("/api/v1/incidents?rule=domain-crashed") or {"incidents": []}
        return {one["subject"]["name"]: one["count"] for one in answer["incidents"]}


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "the agent did not come so far"
        time.sleep(0.01)


@pytest.fixture
def process(tmp_path: Path, rule_cache: Path) -> Iterator[Process]:
    made = Process(tmp_path, rule_cache)
    yield made
    if made.running is not None and made.running.poll() is None:
        made.end(signal.SIGKILL)


def test_killed_at_any_moment_every_failure_is_counted_once(process: Process, tmp_path: Path):
    log, written = tmp_path / "xend.log", 0
    for round_ in range(1, KILLS + 1):
        process.start()
        wait_for(lambda: process.get("/readyz") is not None or process.get("/healthz") is not None)
        target = LINES * round_ // KILLS
        with log.open("a") as file:
            while written < target:
                file.write(line(written))
                file.flush()
                written += 1
        # Killed where the last one left off: some of these lines are judged and not committed, some not read yet.
        wait_for(lambda seen=written - LINES // KILLS // 2: len(process.crashes()) >= min(seen, 1))
        process.end(signal.SIGKILL)
    process.start()
    wait_for(lambda: len(process.crashes()) == LINES)
    assert process.crashes() == {f"g{n}": 1 for n in range(LINES)}


def test_on_sigterm_it_ends_cleanly_and_on_a_second_start_knows_everything(process: Process, tmp_path: Path):
    tmp_path.joinpath("xend.log").write_text(line(1))
    process.start()
    wait_for(lambda: process.crashes() == {"g1": 1})
    assert process.end(signal.SIGTERM) == 0
    process.start()
    wait_for(lambda: process.get("/healthz") is not None)
    assert process.crashes() == {"g1": 1}


def test_a_port_that_is_taken_ends_it_with_one_clear_line(process: Process):
    with socket.create_server(("127.0.0.1", process.port)):
        process.start()
        assert process.running is not None
        _, said = process.running.communicate(timeout=60)
    assert process.running.returncode == 2
    assert b"--listen" in said
    assert b"Traceback" not in said
