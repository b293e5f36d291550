"""A whole agent under load for as long as wanted: nothing lost, nothing that grows, scrapes on time.

python tests/torture/soak.py --minutes 60 --lines 5000 --logs 200 --guests 100

It ends with 1 where a line was lost or counted twice, where descriptors grew, or where memory grew by more than
MOST_GROWTH in the second half. How long scrapes take is told and not judged: a busy machine makes them late.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import click

HEALTHY = "libxl: debug: libxl_event.c:639:libxl__ev_xswatch_deregister: watch w={line:x}: deregister unregistered\n"
"""Every second log says the same all the time: what comes after a rotation looks like what was before it."""
FAULTY = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device br{n}\n"
_DOMAIN = """<domain type="test"><name>guest{n}</name><memory>262144</memory><vcpu>2</vcpu><os><type>hvm</type></os>
<devices><disk type="block"><source dev="/dev/vg0/guest{n}"/><target dev="xvda" bus="xen"/></disk></devices></domain>"""
_NODE = "<node><cpu><mhz>2000</mhz><model>x86_64</model><active>2</active></cpu><memory>33554432</memory>{}</node>"
FAULTY_EVERY = 500
ROTATION = 60.0
"""Seconds after which every log is renamed and begun anew."""
NOTED_EVERY = 5.0
MOST_GROWTH = 60.0
"""KiB a minute that memory may grow in the second half: a megabyte in a quarter of an hour is noise of malloc."""
START_DEADLINE = 300.0


@dataclass
class Watched:
    """What was seen of the agent."""

    pid: int
    url: str
    notes: list[tuple[float, int, int, float]] = field(default_factory=list)
    """Seconds since the start, KiB of memory, descriptors, seconds of processor time."""
    scrapes: list[float] = field(default_factory=list)

    def note(self, at: float) -> None:
        process = Path(f"/proc/{self.pid}")
        pages = int((process / "statm").read_text().split()[1])
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        memory = pages * os.sysconf("SC_PAGE_SIZE") // 1024
        self.notes.append((at, memory, len(list((process / "fd").iterdir())), spent))

    def scrape(self) -> None:
        began = time.perf_counter()
        _get(f"{self.url}/metrics")
        self.scrapes.append(time.perf_counter() - began)

    def growth(self) -> float:
        """KiB of memory a minute, over the second half."""
        half = self.notes[len(self.notes) // 2 :]
        times, memory = [note[0] / 60 for note in half], [float(note[1]) for note in half]
        return statistics.linear_regression(times, memory).slope


@dataclass
class Written:
    """What was written into the logs."""

    folder: Path
    logs: int
    lines: int = 0
    faults: dict[int, int] = field(default_factory=dict)

    def write(self, count: int) -> None:
        by_log: dict[int, list[str]] = {}
        for _ in range(count):
            self.lines += 1
            log = self.lines % self.logs
            faulty = self.lines % FAULTY_EVERY == 0
            if faulty:
                self.faults[log] = self.faults.get(log, 0) + 1
            line = self.lines * (log % 2)
            by_log.setdefault(log, []).append((FAULTY if faulty else HEALTHY).format(n=log, line=line))
        for log, lines in by_log.items():
            with (self.folder / f"xl-guest{log}.log").open("a") as file:
                file.write("".join(lines))

    def rotate(self) -> None:
        for log in range(self.logs):
            path = self.folder / f"xl-guest{log}.log"
            if path.exists():
                path.replace(path.with_suffix(".log.1"))


@click.command()
@click.option("--minutes", default=60.0, show_default=True)
@click.option("--lines", default=5000, show_default=True, help="Lines a second, over all logs.")
@click.option("--logs", default=200, show_default=True)
@click.option("--guests", default=100, show_default=True)
def main(minutes: float, lines: int, logs: int, guests: int) -> None:
    """Print what was seen; 1 where something was lost or grew."""
    with tempfile.TemporaryDirectory() as name:
        written = Written(Path(name) / "log", logs)
        agent, watched = _start(Path(name), written, guests)
        try:
            _load(minutes * 60, lines, written, watched)
            lost = _wait_for_all(written, watched)
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(120)
    sys.exit(_told(written, watched, lost))


def _start(folder: Path, written: Written, guests: int) -> tuple["subprocess.Popen[bytes]", Watched]:
    written.folder.mkdir()
    node = folder / "node.xml"
    node.write_text(_NODE.format("".join(_DOMAIN.format(n=n) for n in range(guests))))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "AGENT_STATE_DIR": f"{folder}/state", "LOGS_PATHS": f"{written.folder}/*.log", "LOGS_JOURNAL": "false",
        "SAMPLING_LIBVIRT_URI": f"test://{node}", "DIAGNOSIS_CACHE_DIR": f"{folder}/cache",
        "WEB_LISTEN": f"127.0.0.1:{port}", "REMEDIATION_POLICY": f"{folder}/policy.toml",
    }  # fmt: skip
    environment = {**os.environ, **{f"XENWATCH_{key}": value for key, value in settings.items()}}
    agent = subprocess.Popen([sys.executable, "-m", "xenwatch.cli.main", "agent"], env=environment)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline and agent.poll() is None:
        compiled = any((folder / "cache").glob("signatures-*.hs"))
        if compiled and json.loads(_get(f"{url}/readyz") or b"{}").get("ready"):
            return agent, Watched(agent.pid, url)
        time.sleep(0.1)
    agent.kill()
    raise SystemExit("the agent did not get ready")


def _load(seconds: float, lines: int, written: Written, watched: Watched) -> None:
    """A second's lines and one scrape each second, a rotation each minute."""
    began, rotated, noted = time.monotonic(), 0.0, float("-inf")
    while (at := time.monotonic() - began) < seconds:
        written.write(max(0, int(lines * (at + 1)) - written.lines))
        if at - rotated >= ROTATION:
            written.rotate()
            rotated = at
        watched.scrape()
        if at - noted >= NOTED_EVERY:
            watched.note(at)
            noted = at
        time.sleep(max(0.0, 1 - (time.monotonic() - began - at)))


def _wait_for_all(written: Written, watched: Watched) -> int:
    """Faults that were never counted; below nought: counted twice."""
    missing, deadline = 1, time.monotonic() + 120
    while missing > 0 and time.monotonic() < deadline:
        time.sleep(1)
        answer = json.loads(_get(f"{watched.url}/api/v1/incidents?class=vif-bridge-missing&full=1") or b"{}")
        counted = {one["subject"]["name"]: one["count"] for one in answer.get("incidents", ())}
        missing = sum(faults - counted.get(f"guest{log}", 0) for log, faults in written.faults.items())
    return missing


def _told(written: Written, watched: Watched, lost: int) -> int:
    notes, scrapes = watched.notes, sorted(watched.scrapes)
    at = [scrapes[min(len(scrapes) - 1, int(len(scrapes) * share))] * 1000 for share in (0.5, 0.99)]
    (begun, _, fds, spent), (end, memory, fds_at_end, spent_at_end) = notes[len(notes) // 2], notes[-1]
    growth = watched.growth()
    click.echo(f"{written.lines} lines in {end / 60:.1f} min; {sum(written.faults.values())} failures, {lost} lost")
    click.echo(f"memory {notes[0][1] / 1024:.1f} to {memory / 1024:.1f} MiB, {growth:+.0f} KiB a minute at the end")
    minutes = {int(note[0] // 60): f"{note[1] / 1024:.1f}" for note in notes}
    click.echo(f"memory by minute: {' '.join(minutes.values())}")
    click.echo(f"descriptors {fds} in the middle, {fds_at_end} at the end")
    click.echo(f"processor {(spent_at_end - spent) / max(end - begun, 1):.1%} of a core in the second half")
    click.echo(f"scrapes: {len(scrapes)}, p50 {at[0]:.0f} ms, p99 {at[1]:.0f} ms, longest {scrapes[-1] * 1000:.0f} ms")
    return int(lost != 0 or growth > MOST_GROWTH or fds_at_end > fds + 5)


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return bytes(error.read())
    except OSError:
        return b""


if __name__ == "__main__":
    main()
