"""The whole of `xenwatch diagnose` on a big log, from start to report, beside wc, grep and mtail; and on a tiny one."""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click
from bench_scan import RULES
from peers import MB, command, cpu_seconds, grep, head, mtail_speed, on_one_core, speed
from xend_log import BUSY, QUIET, generate

from xenwatch.diagnosis.rules.cache import load_library

REPEATS = 3
STARTS = 7
XENWATCH = str(Path(sys.executable).with_name("xenwatch"))


class Cost(NamedTuple):
    """Of one process: seconds by the clock and of CPU, and the most MB it held."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Generate, measure, delete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1000.0, help="of each log, in MB")
    size = int(parser.parse_args().size * MB)
    on_one_core()
    for name, trouble in (("quiet", QUIET), ("busy", BUSY)):
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "xend.log"
            generate(whole, size, trouble)
            diagnose(head(whole, Path(folder) / "warm.log", MB // 5))  # compiles and keeps the library, once
            click.echo(f"{name}: {size / MB:.0f} MB of xend.log, one core, median of {REPEATS}")
            _say(whole, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "xend.log"
        generate(tiny, 2000, QUIET)
        start = _median([diagnose(tiny) for _ in range(STARTS)])
        click.echo(f"a tiny log: {start.wall:.2f} s, {start.cpu:.2f} s of CPU, {start.peak:.0f} MB")


def _say(whole: Path, folder: Path) -> None:
    cost, size = _median([diagnose(whole) for _ in range(REPEATS)]), whole.stat().st_size / MB
    click.echo(
        f"  xenwatch diagnose   {cost.wall:7.2f} s, {cost.cpu:.2f} s of CPU, at most {cost.peak:.0f} MB of memory"
    )
    wc = statistics.median(cpu_seconds(command("wc", "-l", str(whole))) for _ in range(REPEATS))
    regexes = [s.regex for rule in load_library([RULES]) for s in rule.signatures]
    small, tiny = head(whole, folder / "small.log", 2 * MB), head(whole, folder / "tiny.log", MB // 5)
    peers = {"wc -l": size / wc, "grep -E -c -f": speed(grep(regexes, small, folder), small, 1)}
    if shutil.which("mtail"):
        peers["mtail"] = mtail_speed(regexes, tiny, folder)
    for name, value in peers.items():
        click.echo(f"  {name:18} {value:10.2f} MB/s of CPU time   ours is {size / cost.cpu / value:8.2f} x")


def diagnose(log: Path) -> Cost:
    """One run of the command as a person would start it, its report thrown away."""
    began = time.monotonic()
    process = os.posix_spawn(
        XENWATCH,
        [XENWATCH, "diagnose", "--quiet", str(log)],
        dict(os.environ),
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"xenwatch diagnose {log} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / MB)


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


if __name__ == "__main__":
    main()
