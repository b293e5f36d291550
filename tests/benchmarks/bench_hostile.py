"""How long the scanner takes over lines of 64 KiB that are built to hold it up, some against each signature."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

import xenwatch.logs.formats
from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

sys.path.append(str(Path(__file__).parents[1]))
from hostile_lines import attacks

RULES = Path(__file__).parents[2] / "rules"
LINE = 64 * 1024
ATTACKS = 2
SHOWN = 5
HEADERS = {
    "xend": "[2011-05-18 20:55:04 xend 1] INFO (x:1) ",
    "syslog": "May 18 20:55:03 dom0 xl[1]: ",
    "kernel": "[    1.000000] ",
}


def main() -> None:
    """The slowest lines, the middle one, and how many took more than 10 ms."""
    formats = load_parts(xenwatch.logs.formats, "FORMAT", LogFormat)
    rules = load_library([RULES])
    scanner = Scanner(rules)
    took: list[tuple[float, str, str]] = []
    for number, (name, streams, line) in enumerate(_lines(rules)):
        wanted = next((stream for stream in streams if stream in formats), ("xend", "syslog", "stderr")[number % 3])
        data = (HEADERS.get(wanted, "") + line.replace("\n", " ")).encode() + b"\n"
        chunk = Chunk(Source(f"{number}.log", formats[wanted]), data, Position("g", 0), TimeHint(0.0))
        started = time.thread_time()
        scanner.feed(chunk)
        took.append((1000 * (time.thread_time() - started), wanted, name))
    took.sort(reverse=True)
    click.echo(f"{len(took)} lines, the middle one {took[len(took) // 2][0]:.1f} ms")
    click.echo(f"{sum(t > 10 for t, _, _ in took)} took over 10 ms, {sum(t > 100 for t, _, _ in took)} over 100 ms")
    for milliseconds, format_, name in took[:SHOWN]:
        click.echo(f"  {milliseconds:6.1f} ms  {name} in {format_}")


def _lines(rules: Sequence[Rule]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for rule in rules:
        for number, signature in enumerate(rule.signatures):
            for line in attacks(signature.regex, LINE, ATTACKS):
                yield f"{rule.id}#{number}", signature.streams, line


if __name__ == "__main__":
    main()
