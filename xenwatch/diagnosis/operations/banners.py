"""The banners that guests print when they start, found once in a piece of a log and asked for at each record of it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import re2

from xenwatch.diagnosis.operations.guest_phases import BANNERS, LOOK_BACK, QUOTED, GuestPhase

Banner = tuple[int, str, GuestPhase]
"""Where its line begins, the domid of the guest, and what it announced."""

_PHASES = tuple(BANNERS)


class Banners:
    """Of one piece of a log. Asked from its start to its end it reads each line once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._begin()

    def before(self, start: int, domid: str) -> GuestPhase | None:
        """The phase that the guest announced last before that place; None where it announced none near it."""
        data, cut = self._data, max(0, start - LOOK_BACK)
        line = data.rfind(b"\n", cut, start) + 1
        if line <= cut:  # one line, of which a part is looked at
            return last_banners(data[cut:start]).get(domid)
        own = last_banners(data[line:start]).get(domid) if line < start else None
        if own is not None:
            return own
        first = cut if not cut or data[cut - 1 : cut] == b"\n" else data.find(b"\n", cut) + 1
        whole = self._last_in_lines_before(line, domid)
        if whole is not None and whole[0] >= first:
            return whole[1]
        return last_banners(data[cut:first]).get(domid) if cut < first else None

    def _begin(self) -> None:
        self._ahead = banners_in(self._data)
        self._next = next(self._ahead, None)
        self._seen: dict[str, tuple[int, GuestPhase]] = {}
        self._asked = 0

    def _last_in_lines_before(self, end: int, domid: str) -> tuple[int, GuestPhase] | None:
        """Where the line of the guest's last banner begins, and what it announced."""
        if end < self._asked:
            self._begin()
        self._asked = end
        while self._next is not None and self._next[0] < end:
            line, guest, phase = self._next
            self._seen[guest] = (line, phase)
            self._next = next(self._ahead, None)
        return self._seen.get(domid)


def last_banners(before: bytes) -> dict[str, GuestPhase]:
    """The phase that each guest announced last, by its domid; empty domid: of the guest that writes the whole log."""
    return {domid: phase for _, domid, phase in banners_in(before[-LOOK_BACK:])}


def banners_in(text: bytes) -> Iterator[Banner]:
    """All of them, in order."""
    for found in _pattern().finditer(text):
        line = text.rfind(b"\n", 0, found.start()) + 1
        quoted = QUOTED.match(text, line)
        yield line, quoted["domid"].decode() if quoted else "", _PHASES[found.lastindex - 1]


@cache
def _pattern() -> Any:
    """Read by RE2: `re` tries thirty words at each byte, and takes forty times as long."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(b"|".join(b"(%s)" % words for words in BANNERS.values()), options)
