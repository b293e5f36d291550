"""What a long command does just now: one line on standard error, rewritten, so that a person sees that it goes on."""

import time

import click

from xenwatch.base.durations import format_size
from xenwatch.base.printed_text import printable

_SHOW_EVERY = 0.2
_LONGEST = 60


class Progress:
    """`on`: whether anybody looks, that is, standard error is a terminal."""

    def __init__(self, *, on: bool) -> None:
        self._on, self._next, self._shown = on, time.monotonic() + _SHOW_EVERY, False

    def reading(self, path: str, count: int) -> None:
        """So many bytes of that file were read; shown a few times a second."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SHOW_EVERY
            self._write(f"reading {printable(path)[-_LONGEST:]}: {format_size(count)}")

    def step(self, words: str) -> None:
        """This is begun now."""
        self._write(f"{printable(words)[-_LONGEST:]} …")

    def counted(self, done: int, total: int, what: str) -> None:
        """So many of all are done, with what else is to be said; shown a few times a second."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SHOW_EVERY
            self._write(f"{done:,} of {total:,} {printable(what)}")

    def clear(self) -> None:
        """Take the line away, before the result is printed."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _write(self, line: str) -> None:
        if self._on:
            self._shown = True
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
