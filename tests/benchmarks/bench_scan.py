"""How fast signatures are found: our scan core beside mtail, Python's `re`, grep and wc, as ratios of one run."""

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from peers import MB, command, grep, head, mtail_speed, on_one_core, speed
from xend_log import BUSY, QUIET, generate

import xenwatch.logs.formats
from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.patterns import FLAGS
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

SIGNATURES = 300
REPEATS = 5
CHUNK = 256 * 1024
RULES = Path(__file__).parents[2] / "rules"


def signatures(count: int = SIGNATURES) -> list[Rule]:
    """The real rules, cut or padded with rules about messages of the same make to `count` signatures."""
    rules = [rule for rule in load_library([RULES]) if not rule.noise] if RULES.is_dir() else []
    chosen: list[Rule] = []
    for rule in rules:
        if sum(len(r.signatures) for r in chosen) + len(rule.signatures) <= count:
            chosen.append(rule)
    while (have := sum(len(r.signatures) for r in chosen)) < count:
        regex = rf"Backend number {have} of (?P<device>\w+) could not be .* in time"
        text = f"id: pad-{have}\nclass: pad\ntitle: pad\nseverity: error\nsignatures: [{{regex: '{regex}'}}]\n"
        chosen.append(parse_rule(text, Path(f"pad-{have}.yaml")))
    return chosen


def ours(path: Path, rules: list[Rule], engine: str = "auto") -> Callable[[], int]:
    """Scan core as the pipeline runs it: chunks in, events out."""
    dialects = load_parts(xenwatch.logs.formats, "FORMAT", LogFormat)
    scanner = Scanner(rules, engine)  # type: ignore[arg-type]

    def run() -> int:
        scanner.restore({"sources": {}, "identity": {"names": {}, "uuids": {}, "seen": {}}})
        source, found = Source(str(path), dialects["xend"]), 0
        for offset, data in _chunks(path):
            found += len(scanner.feed(Chunk(source, data, Position("g", offset), TimeHint(0.0))))
        return found

    return run


def python_re(path: Path, rules: list[Rule]) -> Callable[[], int]:
    patterns = [re.compile(s.regex, FLAGS) for rule in rules for s in rule.signatures]

    def run() -> int:
        with path.open(errors="replace") as file:
            return sum(1 for line in file for pattern in patterns if pattern.search(line))

    return run


def main() -> None:
    """Two tables: of a log in which hardly a line has news, and of one in which a line in twelve has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=100.0, help="of each log, in MB; slow methods read a head of it")
    size = int(parser.parse_args().size * MB)
    on_one_core()
    for name, trouble in (("quiet", QUIET), ("busy", BUSY)):
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "xend.log"
            generate(whole, size, trouble)
            click.echo(f"{name}: {size / MB:.0f} MB of xend.log, CPU time, median of {REPEATS}; slow ones on a head")
            _table(whole, Path(folder))


def _table(whole: Path, folder: Path) -> None:
    cut, library = signatures(), list(load_library([RULES]))
    small, tiny = head(whole, folder / "small.log", 2 * MB), head(whole, folder / "tiny.log", MB // 5)
    regexes = [s.regex for rule in cut for s in rule.signatures]
    everything = sum(len(rule.signatures) for rule in library)
    rows: list[tuple[str, Path, Callable[[], int]]] = [
        (f"xenwatch, hyperscan, {len(regexes)}", whole, ours(whole, cut, "hyperscan")),
        (f"xenwatch, hyperscan, all {everything}", whole, ours(whole, library, "hyperscan")),
        (f"xenwatch, ahocorasick, {len(regexes)}", whole, ours(whole, cut, "ahocorasick")),
        ("wc -l", whole, command("wc", "-l", str(whole))),
        ("grep -E -c -f", small, grep(regexes, small, folder)),
        ("Python re, line by line", small, python_re(small, cut)),
    ]
    speeds = {name: speed(run, path, REPEATS if path is whole else 1) for name, path, run in rows}
    if shutil.which("mtail"):
        speeds["mtail (start-up left out)"] = mtail_speed(regexes, tiny, folder)
    first = next(iter(speeds.values()))
    for name, value in speeds.items():
        click.echo(f"  {name:32} {value:10.2f} MB/s   ours is {first / value:8.1f} x")


def _chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb", buffering=0) as file:
        while block := os.pread(file.fileno(), CHUNK, offset):
            data = block[: block.rfind(b"\n") + 1]
            yield offset, data
            offset += len(data)


if __name__ == "__main__":
    main()
