"""The hypervisor's console ring (`xl dmesg`, `xm dmesg`): only what is new, also after its 16 KiB wrapped."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.logs.counters import SourceCounters
from xenwatch.model.record import Chunk, Position, Source, TimeHint

_ANCHOR_BYTES = 4096


class HypervisorRing:
    """`read` runs the command and gives all its output; its errors pass through `poll` unchanged."""

    def __init__(
        self,
        source: Source,
        read: Callable[[], Awaitable[bytes]],
        clock: Clock,
        counters: SourceCounters,
        *,
        cursor: Mapping[str, Any] | None = None,
    ) -> None:
        self._source, self._read, self._clock, self._counters = source, read, clock, counters
        stored = cursor or {}
        self._length = int(stored.get("length", 0))
        self._digest = str(stored.get("digest", ""))
        self._anchor = str(stored.get("anchor", "")).encode("latin-1")
        self._offset, self._line = int(stored.get("offset", 0)), int(stored.get("line", 1))

    def cursor(self) -> dict[str, Any]:
        """All before it was read. The anchor is the end of that, one character for each byte."""
        return {
            "length": self._length,
            "digest": self._digest,
            "anchor": self._anchor.decode("latin-1"),
            "offset": self._offset,
            "line": self._line,
        }

    async def poll(self) -> Chunk | None:
        """The lines that came since the last poll; None when there are none."""
        output = await self._read()
        lines = output[: output.rfind(b"\n") + 1]
        fresh = lines[self._read_end(lines) :]
        self._length, self._digest = len(lines), _digest(lines)
        if not fresh:
            return None
        position = Position("ring", self._offset, self._line)
        self._anchor = (self._anchor + fresh)[-_ANCHOR_BYTES:]
        self._offset += len(fresh)
        self._line += fresh.count(b"\n")
        self._count(fresh)
        return Chunk(self._source, fresh, position, TimeHint(self._clock.now()))

    def _read_end(self, lines: bytes) -> int:
        """Where the text that was read before ends in `lines`."""
        if _digest(lines[: self._length]) == self._digest:
            return self._length  # not wrapped since, and exact even among lines that repeat
        at = lines.rfind(self._anchor) if self._anchor else -1
        if at >= 0:
            return at + len(self._anchor)
        overlap = _overlap(self._anchor, lines)
        self._counters.truncations += 1
        self._counters.truncations_without_copy += not overlap
        return overlap

    def _count(self, fresh: bytes) -> None:
        self._counters.lines += fresh.count(b"\n")
        self._counters.bytes += len(fresh)
        self._counters.last_read = self._clock.now()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest() if data else ""


def _overlap(old: bytes, new: bytes) -> int:
    """Bytes at the end of `old` that stand at the start of `new`: most of the text read before was pushed out."""
    for length in range(min(len(old), len(new)), 0, -1):
        if new.startswith(old[-length:]):
            return length
    return 0
