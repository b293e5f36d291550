"""systemd's journal, followed through `journalctl`, as lines in syslog's form with the full time."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import CommandFailed
from xenwatch.logs.counters import SourceCounters
from xenwatch.model.record import Chunk, Position, Source, TimeHint

log = logging.getLogger(__name__)

Spawn = Callable[[Sequence[str]], AsyncGenerator[bytes, None]]
"""Runs a program and gives its lines as they come; CommandFailed when it ends with an error."""

BACKLOG_SILENCE = 120.0
"""Seconds without a line after which journalctl is not waited for any more while it reads what is there."""


class JournaldSource:
    """`matches` narrows what is read, such as `-k` or `-t xenstored`."""

    def __init__(
        self,
        source: Source,
        spawn: Spawn,
        clock: Clock,
        counters: SourceCounters,
        *,
        matches: Sequence[str] = (),
        cursor: Mapping[str, Any] | None = None,
    ) -> None:
        self._source, self._spawn, self._clock, self._counters = source, spawn, clock, counters
        self._matches = tuple(matches)
        stored = cursor or {}
        self._cursor: str | None = stored.get("cursor")
        self._micros: int | None = stored.get("realtime_microseconds")
        self._line, self._offset = int(stored.get("line", 1)), int(stored.get("offset", 0))

    def cursor(self) -> dict[str, Any]:
        """All before it was read."""
        return {
            "cursor": self._cursor,
            "realtime_microseconds": self._micros,
            "line": self._line,
            "offset": self._offset,
        }

    async def follow(self, on_chunk: Callable[[Chunk], None]) -> None:
        """Hand on each entry as one line until journalctl ends. Raises CommandFailed.

        First what is there, then what comes: `--follow` alone gives the current boot only, and what was written before
        the host crashed is in an earlier one.
        """
        try:
            await self._read((), on_chunk, BACKLOG_SILENCE)
        except TimeoutError:
            log.warning("journalctl says nothing for %g s; the journal is followed from here on", BACKLOG_SILENCE)
        await self._read(("--follow", "--lines=all"), on_chunk, None)

    async def _read(self, how: Sequence[str], on_chunk: Callable[[Chunk], None], silence: float | None) -> None:
        """A cursor is gone when its journal file was vacuumed away: then the time is used instead."""
        try:
            await self._run([*how, *self._from_cursor()], on_chunk, silence)
        except CommandFailed:
            if self._cursor is None:
                raise
            log.warning("journalctl does not know the stored cursor; the journal is read from its time on")
            self._cursor = None
            await self._run([*how, *self._from_time()], on_chunk, silence)

    def _from_cursor(self) -> list[str]:
        return [f"--after-cursor={self._cursor}"] if self._cursor else self._from_time()

    def _from_time(self) -> list[str]:
        if self._micros is None:
            return ["--boot"]
        return [f"--since=@{(self._micros + 1) / 1e6:.6f}"]

    async def _run(self, options: Sequence[str], on_chunk: Callable[[Chunk], None], silence: float | None) -> None:
        """Raises TimeoutError after `silence` seconds without a line."""
        argv = ["journalctl", "--no-pager", "--output=json", *options, *self._matches]
        async with aclosing(self._spawn(argv)) as lines:
            while True:
                try:
                    async with asyncio.timeout(silence):
                        raw = await anext(lines)
                except StopAsyncIteration:
                    return
                chunk = self._entry(raw)
                if chunk is not None:
                    on_chunk(chunk)

    def _entry(self, raw: bytes) -> Chunk | None:
        read = parse_entry(raw)
        if read is None:
            self._counters.read_errors += 1
            return None
        entry, micros = read
        cursor = str(entry["__CURSOR"])
        line = entry_line(entry, micros)
        # Running offsets: an oops is many entries and one record, as it is in kern.log.
        position = Position("journal", self._offset, self._line)
        self._cursor, self._micros = cursor, micros
        self._line += 1
        self._offset += len(line)
        self._counters.lines += 1
        self._counters.bytes += len(line)
        self._counters.last_read = self._clock.now()
        return Chunk(self._source, line, position, TimeHint(micros / 1e6))


def parse_entry(raw: bytes) -> tuple[dict[str, Any], int] | None:
    """One line of `--output=json` and its time in microseconds; None where it is damaged."""
    try:
        entry = json.loads(raw)
        if not isinstance(entry, dict) or "__CURSOR" not in entry:
            return None
        return entry, int(entry["__REALTIME_TIMESTAMP"])
    except (ValueError, KeyError, TypeError):
        return None


def entry_line(entry: Mapping[str, Any], micros: int) -> bytes:
    """`2011-05-18T20:55:04.000001+00:00 dom0 xenstored[812]: text`; a line break in the text becomes `#012`."""
    at = datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="microseconds")
    name = _text(entry.get("SYSLOG_IDENTIFIER")) or _text(entry.get("_COMM")) or b"unknown"
    pid = _text(entry.get("SYSLOG_PID")) or _text(entry.get("_PID"))
    tag = name + (b"[" + pid + b"]" if pid else b"")
    words = (at.encode(), _text(entry.get("_HOSTNAME")) or b"localhost", tag + b":", _text(entry.get("MESSAGE")))
    return b" ".join(words).replace(b"\n", b"#012") + b"\n"


def _text(value: Any) -> bytes:
    """Text is a list of byte values where it is not UTF-8, and null where it is very long."""
    if isinstance(value, list):
        return bytes(byte for byte in value if isinstance(byte, int) and 0 <= byte < 256)  # noqa: PLR2004  a byte
    return value.encode() if isinstance(value, str) else b""
