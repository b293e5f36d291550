"""systemd's journal as it stands: its newest part within bounds, as one text for each boot."""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from xenwatch.base.durations import format_size
from xenwatch.base.errors import CommandFailed, HostError
from xenwatch.host.exec.runner import Runner
from xenwatch.logs.sources.journald import Spawn, entry_line, parse_entry

MOST_BYTES = 16 * 1024 * 1024
DEADLINE = 30.0
"""Seconds for all of it; what was read by then is kept."""
_TRIAL_DEADLINE = 10.0
_NOT_ALLOWED = re.compile(rb"insufficient permissions|not seeing messages")


@dataclass(frozen=True, slots=True)
class BootLog:
    """What the journal holds of one boot, in syslog's form, oldest line first."""

    boots_ago: int
    """0 for the boot that runs now."""
    text: bytes
    last: float
    """When its last line was written."""


@dataclass(frozen=True, slots=True)
class JournalHistory:
    """`boots` come oldest first; `missing` says in words for people what could not be read."""

    boots: tuple[BootLog, ...] = ()
    missing: tuple[str, ...] = ()


async def read_history(
    runner: Runner, spawn: Spawn, matches: Sequence[str], *, limit: int = MOST_BYTES, deadline: float = DEADLINE
) -> JournalHistory:
    """The newest `limit` bytes of lines. It is read backwards, so that what a bound cuts off is the oldest."""
    try:
        refused = await _refusal(runner, matches)
    except HostError as error:
        return JournalHistory(missing=(str(error),))
    reading = _Reading(limit)
    cut = await reading.read(spawn, ["journalctl", "--reverse", "--no-pager", "--output=json", *matches], deadline)
    boots = reading.boots()
    missing = [reason for reason in (refused, cut) if reason]
    if not boots and not missing:
        missing.append("it holds no line of the kernel or of a daemon")
    return JournalHistory(boots, tuple(missing))


async def _refusal(runner: Runner, matches: Sequence[str]) -> str:
    """What journalctl keeps from this user. It says so on stderr, and ends well all the same."""
    tried = await runner.run(("journalctl", "--lines=1", "--no-pager", "--output=cat", *matches), _TRIAL_DEADLINE)
    if _NOT_ALLOWED.search(tried.stderr):
        return "this user may not read all of it: run this as root, or as a member of the group systemd-journal"
    tried.checked()
    return ""


class _Reading:
    """Lines of each boot, the newest boot and line first."""

    def __init__(self, limit: int) -> None:
        self._room = limit
        self._lines: dict[str, list[bytes]] = {}
        self._last: dict[str, float] = {}
        self._oldest = 0.0

    async def read(self, spawn: Spawn, argv: Sequence[str], deadline: float) -> str:
        """Read until the end or a bound; the reason where it was not the end."""
        try:
            async with asyncio.timeout(deadline), aclosing(spawn(argv)) as lines:
                async for raw in lines:
                    if not self._take(raw):
                        return self._before(f"only the newest {format_size(self._used())} are read")
        except TimeoutError:
            return self._before(f"journalctl was stopped after {deadline:g} s")
        except CommandFailed as error:
            return self._before(str(error))
        return ""

    def boots(self) -> tuple[BootLog, ...]:
        texts = [b"".join(reversed(lines)) for lines in self._lines.values()]
        newest_first = enumerate(zip(texts, self._last.values(), strict=True))
        return tuple(BootLog(ago, text, last) for ago, (text, last) in newest_first)[::-1]

    def _take(self, raw: bytes) -> bool:
        """False where there is no room for it. A damaged line is passed over."""
        read = parse_entry(raw)
        if read is None:
            return True
        entry, micros = read
        line, boot = entry_line(entry, micros), str(entry.get("_BOOT_ID", ""))
        if len(line) > self._room:
            return False
        self._room -= len(line)
        self._oldest = micros / 1e6
        self._last.setdefault(boot, self._oldest)
        self._lines.setdefault(boot, []).append(line)
        return True

    def _used(self) -> int:
        return sum(map(len, (line for lines in self._lines.values() for line in lines)))

    def _before(self, reason: str) -> str:
        if not self._lines:
            return reason
        return f"what is older than {time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime(self._oldest))}: {reason}"
