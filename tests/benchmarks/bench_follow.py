"""How long a line takes from the writer to the reader, here and in mtail, and what following costs when idle.

Run: `python tests/benchmarks/bench_follow.py`. Prints one line a measurement and the ratio at the end.
"""

# ruff: noqa: T201  a benchmark prints

import asyncio
import json
import random
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xenwatch.base.clock import SystemClock
from xenwatch.logs.follow import Follower
from xenwatch.model.record import Chunk, LogFormat, Source

LINES = 700
MTAIL_LINES = 80
IDLE_LOGS = 20
IDLE_SECONDS = 30.0
FORMAT = LogFormat("plain", "numbered lines")


def share(values: list[float], part: float) -> float:
    """The value in milliseconds that `part` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] * 1000


def follower_of(directory: Path, on_chunk) -> Follower:
    return Follower([f"{directory}/*.log"], on_chunk, lambda path, _head: Source(path, FORMAT), SystemClock())


WRITER = """
import sys, time
with open(sys.argv[1], "ab", buffering=0) as log:
    for number in range(int(sys.argv[2])):
        time.sleep(0.01)
        log.write(b"%d %.9f line\\n" % (number, time.clock_gettime(time.CLOCK_MONOTONIC)))
"""


async def our_latency(directory: Path) -> list[float]:
    """Seconds from just before each append, in another process, to the chunk that holds it."""
    log = directory / "xend.log"
    log.touch()
    latencies: list[float] = []
    done = asyncio.Event()

    def on_chunk(chunk: Chunk) -> None:
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        latencies.extend(now - float(line.split()[1]) for line in chunk.data.splitlines())
        if len(latencies) >= LINES:
            done.set()

    following = asyncio.create_task(follower_of(directory, on_chunk).run())
    await asyncio.sleep(0.5)
    writer = await asyncio.create_subprocess_exec("python3", "-c", WRITER, str(log), str(LINES))
    await asyncio.wait_for(done.wait(), 120)
    await writer.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return latencies


@contextmanager
def mtail(directory: Path) -> Iterator[str]:
    """A running mtail that counts lines; its address."""
    programs = directory / "programs"
    programs.mkdir()
    (programs / "lines.mtail").write_text("counter lines_total\n/line$/ {\n  lines_total++\n}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["mtail", "--progs", programs, "--logs", directory / "xend.log", "--port", str(port)]
    where = ["--address", "127.0.0.1", "--log_dir", directory]
    with subprocess.Popen([*command, *where], stderr=subprocess.DEVNULL) as running:
        try:
            yield f"http://127.0.0.1:{port}/json"
        finally:
            running.terminate()


def mtail_count(address: str) -> int:
    with urllib.request.urlopen(address, timeout=5) as answer:
        metrics = json.load(answer)
    values = next((one.get("LabelValues") or [] for one in metrics if one["Name"] == "lines_total"), [])
    return int(values[0]["Value"]["Value"]) if values else 0


def mtail_latency(directory: Path) -> list[float]:
    """Seconds from each append to the count that includes it; asking takes about a millisecond."""
    log = directory / "xend.log"
    log.touch()
    chance = random.Random(1)
    latencies: list[float] = []
    with mtail(directory) as address, log.open("ab", buffering=0) as writer:
        time.sleep(2)
        for number in range(1, MTAIL_LINES + 1):
            time.sleep(chance.random() * 0.25)
            began = time.monotonic()
            writer.write(b"%d line\n" % number)
            while mtail_count(address) < number and time.monotonic() < began + 10:
                time.sleep(0.0005)
            latencies.append(time.monotonic() - began)
    return latencies


async def idle_cost(directory: Path) -> float:
    """Share of one core that following so many quiet logs takes."""
    for number in range(IDLE_LOGS):
        (directory / f"qemu-dm-guest{number}.log").write_bytes(b"line\n" * 100)
    following = asyncio.create_task(follower_of(directory, lambda _chunk: None).run())
    await asyncio.sleep(3)
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    after = resource.getrusage(resource.RUSAGE_SELF)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used / (time.monotonic() - began)


async def throughput(directory: Path) -> float:
    """Bytes a second that are handed on from a file that is there already."""
    size = 200 << 20
    (directory / "xend.log").write_bytes((b"x" * 119 + b"\n") * (size // 120))
    handed_on = 0

    def on_chunk(chunk: Chunk) -> None:
        nonlocal handed_on
        handed_on += len(chunk.data)

    follower = Follower(
        [f"{directory}/*.log"], on_chunk, lambda path, _head: Source(path, FORMAT), SystemClock(), cursors={}
    )
    began = time.monotonic()
    await follower.look()
    follower.close()
    return handed_on / (time.monotonic() - began)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        places = [Path(name, one) for one in ("ours", "mtail", "idle", "throughput")]
        for place in places:
            place.mkdir()
        ours = asyncio.run(our_latency(places[0]))
        print(f"xenwatch append to chunk  p50 {share(ours, 0.5):8.2f} ms  p99 {share(ours, 0.99):8.2f} ms")
        if shutil.which("mtail"):
            theirs = mtail_latency(places[1])
            print(f"mtail    append to count  p50 {share(theirs, 0.5):8.2f} ms  p99 {share(theirs, 0.99):8.2f} ms")
            ratios = (share(theirs, part) / share(ours, part) for part in (0.5, 0.99))
            print("mtail / xenwatch          p50 {:8.1f} x   p99 {:8.1f} x".format(*ratios))
        print(f"idle, {IDLE_LOGS} quiet logs       {asyncio.run(idle_cost(places[2])):8.3%} of one core")
        print(f"reading what is there     {asyncio.run(throughput(places[3])) / 1e6:8.0f} MB/s")


if __name__ == "__main__":
    main()
