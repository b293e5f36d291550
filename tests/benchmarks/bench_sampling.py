"""Busy milliseconds of a cycle of samples and of its text, with 100 and 1,000 guests, beside Debian's exporter."""

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from hosts.crowd import crowd
from monitoring import tools

from xenwatch.base.clock import SystemClock
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import enabled
from xenwatch.sampling.sampler import Sampler
from xenwatch.web.exposition import Exposition

EACH_CYCLE = ("domain", "vcpu", "memory", "vbd", "vif", "libvirt", "events", "dom0", "bridge")
"""What runs every 5 to 15 seconds; the others come once a minute."""
CYCLES = 7
AIMS = {100: 15.0, 1000: 150.0}
EXPORTER = "prometheus-libvirt-exporter"
PORT = 19177


async def our_cycle(guests: int, root: Path) -> dict[str, float]:
    """Medians over some cycles, after one to warm up: busy, wall, rendering and scrape milliseconds, stall, samples."""
    uri = crowd(root, guests)
    host = build_host(SystemClock(), Paths(root), SystemRunner(), toolstack=None, libvirt_uri=uri)
    sampler = Sampler([collector for collector in enabled() if collector.name in EACH_CYCLE], host, host.clock)
    exposition = Exposition(lambda _format: b"")
    exposition.body("openmetrics", gzip=True)  # from now on made ready, as for Prometheus
    await sampler.take_once()
    gc.freeze()  # as in the agent
    found = [await one_cycle(sampler, exposition, watched=n % 2 == 1) for n in range(2 * CYCLES)]
    await host.close()
    names = {name for cycle in found for name in cycle}
    return {name: statistics.median(cycle[name] for cycle in found if name in cycle) for name in sorted(names)}


async def one_cycle(sampler: Sampler, exposition: Exposition, *, watched: bool) -> dict[str, float]:
    """One cycle's figures. Watching for stalls costs cpu time of its own, so that busy cycles are not watched."""
    await asyncio.sleep(2.1)  # the inventory is shared for two seconds; each cycle asks anew
    stall = asyncio.create_task(longest_stall()) if watched else None
    await asyncio.sleep(0)
    cpu, started = time.process_time(), time.perf_counter()
    snapshot = await sampler.take_once()
    busy, wall = time.process_time() - cpu, time.perf_counter() - started
    if stall is not None:
        stall.cancel()
        return {"stall_ms": (await asyncio.gather(stall))[0] * 1e3}
    cpu = time.process_time()
    await exposition.update(snapshot)
    rendering, started = time.process_time() - cpu, time.perf_counter()
    exposition.body("openmetrics", gzip=True)
    times = {"busy": busy, "wall": wall, "render": rendering, "scrape": time.perf_counter() - started}
    return {f"{name}_ms": seconds * 1e3 for name, seconds in times.items()} | {"samples": len(snapshot.samples)}


async def longest_stall() -> float:
    """How late the event loop came back at worst, until cancelled."""
    longest = 0.0
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)
    except asyncio.CancelledError:
        return longest


def exporter_scrape(uri: str) -> dict[str, float] | None:
    """The same for the exporter: one scrape is its cycle. None where it is not here."""
    program = tools.found(EXPORTER)
    if program is None:
        return None
    argv = [program, f"--libvirt.uri={uri}", f"--web.listen-address=127.0.0.1:{PORT}"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            scrape_when_up()
            watched, busy, lines = psutil.Process(process.pid), [], 0
            for _ in range(CYCLES):
                before = watched.cpu_times()
                lines = scrape().count(b"\nlibvirt_")
                after = watched.cpu_times()
                busy.append((after.user + after.system - before.user - before.system) * 1e3)
        finally:
            process.kill()
    return {"busy_ms": statistics.median(busy), "samples": lines}


def scrape_when_up() -> None:
    for _ in range(100):
        try:
            scrape()
        except OSError:
            time.sleep(0.1)
        else:
            return


def scrape() -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=60) as answer:
        return bytes(answer.read())


def main() -> None:
    """A line for each number of guests."""
    memory = Path("/dev/shm")
    for guests, aim in AIMS.items():
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            root = Path(folder)
            ours = asyncio.run(our_cycle(guests, root))
            theirs = exporter_scrape(f"test://{root}/node.xml")
        say(f"{guests:5} guests, xenwatch (aim {aim:.0f} ms)", ours)
        say(f"      beside it {EXPORTER}", theirs)


def say(what: str, measured: dict[str, float] | None) -> None:
    """One line of results."""
    words = ", ".join(f"{name} {value:.0f}" for name, value in (measured or {}).items()) or "not here"
    sys.stdout.write(f"{what}: {words}\n")


if __name__ == "__main__":
    main()
