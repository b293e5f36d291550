"""Every benchmark, one after the other, under the name of the machine and how busy it was: `make bench`."""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import click

HERE = Path(__file__).parent
BENCHMARKS = {
    "bench_real.py": "real logs",
    "bench_scan.py": "finding signatures",
    "bench_hostile.py": "lines made to hold it up",
    "bench_diagnose.py": "all of xenwatch diagnose",
    "bench_agent.py": "the whole agent",
    "bench_follow.py": "from a line in a log to its reader",
    "bench_sampling.py": "a cycle of samples",
    "bench_pages.py": "the pages of a host with a thousand guests",
    "bench_live.py": "from a line in a log to a page that is open",
}
_DEADLINE = 1800.0


def main() -> None:
    """Exit code 1 where one of them failed; the others are run all the same."""
    click.echo(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    failed = False
    for name, title in BENCHMARKS.items():
        click.echo(f"\n== {title} ({name}; load {_load()} before it, at {time.strftime('%H:%M')})")
        failed |= subprocess.run([sys.executable, HERE / name], check=False, timeout=_DEADLINE).returncode != 0
    click.echo(f"\nload {_load()} at the end: a machine that others use as well gives smaller numbers")
    sys.exit(failed)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return models[0].partition(":")[2].strip() if models else platform.machine()


if __name__ == "__main__":
    main()
