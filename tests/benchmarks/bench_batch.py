"""A support desk's bundles in one run: how many a second, equal to single runs, the summary in one page, and on Dask.

Usage: bench_batch.py [--corpus FOLDER] [--bundles 1000] [--jobs 2] [--workers 4]
"""

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import click
from peers import MB
from xend_log import QUIET, generate

XENWATCH = str(Path(sys.executable).with_name("xenwatch"))
RECORDINGS = Path(__file__).parents[1] / "recordings"
FILLERS = 16
ALONE = 25
"""So many of them are read alone as well."""
NO_LOGS = {".yaml", ".yml", ".json", ".md"}
_SIZE = MB


def main() -> None:
    """Make the bundles, read them, compare, delete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=RECORDINGS, help="a folder of folders with logs")
    parser.add_argument("--bundles", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="of a Dask cluster on loopback, which reads them too")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        paths = make(folder, said.corpus, said.bundles)
        size = sum(path.stat().st_size for path in paths)
        click.echo(f"{len(paths)} bundles of {_SIZE / MB:.1f} MB, {size / len(paths) / 1000:.0f} kB packed")
        here = run(folder / "bundles", folder / "here.jsonl", "--jobs", str(said.jobs))
        compare_alone(here, random.Random(1).sample(paths, min(ALONE, len(paths))))
        if said.workers:
            address = cluster(folder, said.workers, stack)
            there = run(folder / "bundles", folder / "there.jsonl", "--scheduler", address)
            same = {path: _told(one) for path, one in here.items()} == {path: _told(one) for path, one in there.items()}
            click.echo(f"the cluster's answers are {'the same' if same else 'DIFFERENT'}")


def make(folder: Path, corpus: Path, count: int) -> list[Path]:
    """Each is a case of the corpus in a host's quiet logs, together a megabyte."""
    fillers = [folder / f"filler-{number}.log" for number in range(FILLERS)]
    for number, filler in enumerate(fillers):
        generate(filler, _SIZE, QUIET, seed=number)
    (folder / "bundles").mkdir()
    cases = cycle(sorted(path for path in corpus.iterdir() if path.is_dir()))
    return [
        pack(folder / f"bundles/{number:04}.tar.gz", case, fillers[number % FILLERS])
        for number, case in enumerate(islice(cases, count))
    ]


def pack(path: Path, case: Path, filler: Path) -> Path:
    logs = {str(log.relative_to(case)): log.read_bytes() for log in _logs(case)}
    left = max(0, _SIZE - sum(map(len, logs.values())))
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, text in {**logs, "var/log/xen/xend.log": filler.read_bytes()[:left]}.items():
            entry = tarfile.TarInfo(f"{path.name[:4]}/{name}")
            entry.size, entry.mtime = len(text), 1_300_000_000
            archive.addfile(entry, io.BytesIO(text))
    return path


def _logs(case: Path) -> Iterator[Path]:
    return (path for path in sorted(case.rglob("*")) if path.is_file() and path.suffix not in NO_LOGS)


def run(bundles: Path, output: Path, *words: str) -> dict[str, Any]:
    """The result of each bundle by its path."""
    argv = [XENWATCH, "diagnose", "--each", str(bundles), "--output", str(output), *words]
    before, began = os.times(), time.monotonic()
    page = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    took, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    results = [json.loads(line) for line in output.read_text().splitlines()]
    lines, errors = page.count("\n"), sum("error" in one for one in results)
    click.echo(f"{' '.join(words)}: {took:.1f} s, {len(results) / took:.1f} bundles a second, {cpu:.1f} s of processor "
               f"time; the summary has {lines} lines; {errors} could not be read")  # fmt: skip
    return {one["bundle"]: one for one in results}


def compare_alone(found: dict[str, Any], sample: list[Path]) -> None:
    """Each of the sample alone, by a process of its own."""
    differ = []
    for path in sample:
        argv = [XENWATCH, "diagnose", "--format", "json", str(path)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        if json.loads(said) != found[str(path)]["report"]:
            differ.append(path.name)
    click.echo(f"{len(sample)} of them alone: {', '.join(differ) or 'none'} differs")


def _told(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "seconds"}


def cluster(folder: Path, workers: int, stack: ExitStack) -> str:
    """A scheduler and its workers on loopback."""
    file, log = folder / "scheduler.json", stack.enter_context((folder / "dask.log").open("w"))

    def start(program: str, *words: str) -> None:
        argv = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(file), *words]
        process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.terminate)

    start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    for _ in range(workers):
        start("dask_worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard")
    while not file.exists():
        time.sleep(0.2)
    return str(json.loads(file.read_text())["address"])


if __name__ == "__main__":
    main()
