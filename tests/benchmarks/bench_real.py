"""Real logs, repeated to megabytes: `diagnose` with the whole library beside grep, mtail and wc, start left out.

The logs are what people posted or kept: a folder for each case, with the logs below it; a case of a host that is well
has `healthy` in its name. Each log is read alone, so that a slow kind of log cannot hide behind a fast one.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
from bench_scan import RULES, signatures
from peers import MB, command, grep, mtail_speed, on_one_core

from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.triage.diagnose import diagnose

REPEATS = 3
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
_LARGEST_CASE = 1_000_000
_OLD = 1_700_000_000
_CLOCK = re.compile(rb"\b(\d\d):(\d\d):(\d\d)\b")


class Measured(NamedTuple):
    """MB a second of user CPU time on one log."""

    name: str
    ours: float
    grep: float
    wc: float
    seen: int
    """Sightings of incidents in it."""


def main() -> None:
    """Two tables, of healthy and of faulty logs; each log with its own line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, default=CORPUS, help="the folder of the cases")
    parser.add_argument("--size", type=float, default=3.0, help="of each log, in MB")
    parser.add_argument("--count", type=int, default=6, help="logs of each kind, spread over all; 0: every one")
    options = parser.parse_args()
    if not options.logs.is_dir():
        raise SystemExit(f"there are no logs in {options.logs}: name their folder with --logs")
    on_one_core()
    with tempfile.TemporaryDirectory() as folder:
        rules = load_library([RULES], Path(folder), whole=False)
        regexes = [s.regex for rule in signatures() for s in rule.signatures]
        logs = real_logs(options.logs)
        for kind, healthy in (("healthy", True), ("faulty", False)):
            chosen = spread([log for log in logs if ("healthy" in str(log)) is healthy], options.count)
            click.echo(f"{kind}: {len(chosen)} logs, each repeated to {options.size:g} MB; user CPU, best of {REPEATS}")
            _table([_measured(log, int(options.size * MB), rules, regexes, Path(folder)) for log in chosen])


def real_logs(folder: Path) -> list[Path]:
    """The logs of all cases, in the order of their names."""
    found = (path for path in folder.glob("*/logs/**/*") if path.is_file())
    return sorted(path for path in found if 0 < path.stat().st_size < _LARGEST_CASE)


def spread(logs: Sequence[Path], count: int) -> list[Path]:
    """So many of them, from the first to the last at even steps."""
    if not count or count >= len(logs):
        return list(logs)
    return [logs[number * len(logs) // count] for number in range(count)]


def repeated(log: Path, size: int, folder: Path) -> Path:
    """A file of that name which says the same again until it has the size, each time a minute later."""
    data = log.read_bytes().rstrip(b"\n") + b"\n"
    path = folder / log.name
    path.write_bytes(b"".join(_later(data, 60 * number) for number in range(size // len(data) + 1)))
    os.utime(path, (_OLD, _OLD))
    return path


def _later(data: bytes, seconds: int) -> bytes:
    """The same lines with their clocks moved on: else a log with times would say the same, byte for byte."""

    def moved(found: re.Match[bytes]) -> bytes:
        hour, minute, second = map(int, found.groups())
        at = (hour * 3600 + minute * 60 + second + seconds) % 86_400
        return b"%02d:%02d:%02d" % (at // 3600, at // 60 % 60, at % 60)

    return _CLOCK.sub(moved, data) if seconds else data


def _measured(log: Path, size: int, rules: tuple[Rule, ...], regexes: Sequence[str], folder: Path) -> Measured:
    place = folder / "logs"
    place.mkdir(exist_ok=True)
    path, seen = repeated(log, size, place), 0

    def ours() -> None:
        nonlocal seen
        report = diagnose([str(path)], rules, cache=folder, any_program=True)
        seen = sum(incident.times_seen for incident in report.incidents)

    tiny = repeated(log, 1, folder)
    started = _best(lambda: diagnose([str(tiny)], rules, cache=folder, any_program=True))
    megabytes = (path.stat().st_size - tiny.stat().st_size) / MB
    took = (_best(ours) - started, _best(grep(regexes, path, folder)), _best(command("wc", "-l", str(path))))
    speeds = [megabytes / max(seconds, 1e-3) for seconds in took]
    case = log.parts[log.parts.index("logs") - 1] if "logs" in log.parts else log.parent.name
    if shutil.which("mtail"):
        click.echo(f"  {case}: mtail {mtail_speed(regexes, path, folder):.2f} MB/s")
    path.unlink()
    return Measured(f"{case}/{log.name}", *speeds, seen)


def _best(run: Callable[[], object]) -> float:
    return min(user_seconds(run) for _ in range(REPEATS))


def user_seconds(run: Callable[[], object]) -> float:
    """User CPU seconds of us and our children."""
    before = _user()
    run()
    return _user() - before


def _user() -> float:
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _table(measured: Sequence[Measured]) -> None:
    click.echo(f"  {'log':58}{'xenwatch':>10}{'grep':>8}{'wc -l':>8}{'x grep':>8}  sightings")
    for one in sorted(measured, key=lambda m: m.ours):
        share = f"{one.ours / one.grep:8.2f}"
        click.echo(f"  {one.name[-57:]:58}{one.ours:10.2f}{one.grep:8.1f}{one.wc:8.0f}{share}  {one.seen}")
    for name, choose in (("median", statistics.median), ("slowest", min)):
        figures = [choose([m[column] for m in measured]) for column in (1, 2, 3)]
        ratio = choose([m.ours / m.grep for m in measured])
        click.echo(f"  {name:58}{figures[0]:10.2f}{figures[1]:8.1f}{figures[2]:8.0f}{ratio:8.2f}")


if __name__ == "__main__":
    main()
