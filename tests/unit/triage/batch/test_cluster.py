"""The same batch on a Dask cluster: a scheduler and two workers on loopback give the answers of single runs."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from xenwatch.base.errors import InputError
from xenwatch.cli._each import document_of
from xenwatch.cli._selection import Selection
from xenwatch.triage.batch.cluster import read_on_cluster
from xenwatch.triage.batch.task import BatchTask, prepare, read_bundle

pytest.importorskip("distributed")
pytest.importorskip("dask.bag")
pytestmark = pytest.mark.timeout(400)

BRIDGE = "libxl: error: libxl_device.c:1351:hotplug_child_death_cb: script: Could not find bridge device {}\n"
TASK = BatchTask(partial(document_of, Selection()))


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler that has two workers."""
    place = tmp_path_factory.mktemp("cluster")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}
    environment["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "30s"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
        prepare(TASK)
        log = stack.enter_context((place / "log").open("w"))

        def start(program: str, *words: str) -> None:
            file = str(place / "scheduler.json")
            argv = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", file, *words]
            started = subprocess.Popen(argv, cwd=place, env=environment, stdout=log, stderr=log)
            stack.callback(_end, started)

        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        for _ in range(2):
            start("dask_worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard")
        yield _address(place / "scheduler.json")


def _end(started: "subprocess.Popen[bytes]") -> None:
    started.terminate()
    try:
        started.wait(20)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


def _address(file: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if file.exists() and (text := file.read_text()):
            return str(json.loads(text)["address"])
        time.sleep(0.1)
    raise TimeoutError("the scheduler does not start")


def _bundles(folder: Path, count: int) -> list[str]:
    for number in range(count):
        (folder / f"{number}.log").write_text(BRIDGE.format(f"xenbr{number}"))
    (folder / "none.log").write_text("nothing of the kind\n")
    return [str(path) for path in sorted(folder.iterdir())]


def test_the_answers_are_those_of_single_runs(scheduler: str, tmp_path: Path):
    bundles = _bundles(tmp_path, 6)
    alone = {bundle: read_bundle(TASK, bundle) for bundle in bundles}
    far = {result.bundle: result for result in read_on_cluster(TASK, bundles, scheduler)}
    assert {name: (r.report, r.error, r.hosts) for name, r in far.items()} == {
        name: (r.report, r.error, r.hosts) for name, r in alone.items()
    }
    assert [name for name, result in far.items() if result.error] == [str(tmp_path / "none.log")]


def test_a_worker_that_dies_costs_nothing(scheduler: str, tmp_path: Path):
    """It is killed while it waits for a bundle; another worker reads that bundle again."""
    bundles = _bundles(tmp_path, 3)
    fifo = tmp_path / "waits.log"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)

    def kill_and_write() -> None:
        first = _reader_of(fifo, None)
        os.kill(first, signal.SIGKILL)
        _reader_of(fifo, first)
        os.write(held, BRIDGE.format("xenbr9").encode())
        os.close(held)

    killer = threading.Thread(target=kill_and_write)
    killer.start()
    results = {r.bundle: r for r in read_on_cluster(TASK, [*bundles, str(fifo)], scheduler)}
    killer.join()
    assert len(results) == 5
    assert results[str(fifo)].error is None
    assert [f.rule for f in results[str(fifo)].failures] == ["vif-bridge-missing"]


def test_a_scheduler_that_is_not_there_is_said():
    with pytest.raises(InputError, match="cannot be reached"):
        list(read_on_cluster(TASK, ["a"], "tcp://127.0.0.1:1"))


def _reader_of(fifo: Path, not_this: int | None) -> int:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) not in (os.getpid(), not_this) and _reads(process, fifo):
                return int(process.name)
        time.sleep(0.05)
    raise TimeoutError(f"nobody reads {fifo}")


def _reads(process: Path, fifo: Path) -> bool:
    try:
        return any(str(link.readlink()) == str(fifo) for link in (process / "fd").iterdir())
    except OSError:
        return False
