r"""Where an expression matches in a text, in time that grows with the text alone, whatever somebody wrote into it.

`re` tries every way to match: one line of 64 KiB of commas could hold it for minutes. RE2 reads each character once.
Lookarounds are asked after it (`lookaround`). What RE2 cannot take all the same, such as a backreference, is asked of
`re`, in windows that are too short to hurt.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, NamedTuple

import re2

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.bytes_regex import raw_form
from xenwatch.diagnosis.matching.lookaround import Lookaround, without_lookarounds
from xenwatch.diagnosis.rules.patterns import compiled

NARROW = 1000
"""Characters that `re` is given at most, and up to which a text is not narrowed down first."""
WIDE = 8192
"""Bytes that RE2 reads at most to capture fields: what goes on for longer is cut there."""
MOST_STEPS = 4_000_000
"""States times bytes of one window: RE2 takes as many steps where a text is made to fill its memory."""
MOST_WINDOWS = 8
"""Places of one text that look as if an expression matched there and that are looked at."""
MOST_MATCHES = 16
"""Matches of one expression in one window that are looked at, those included in which a lookaround does not hold."""
LONGEST_BEHIND = 64
"""Bytes before a place that a lookbehind sees."""
_LONG_REPEAT = re.compile(r"(?<!\\)\{0?,\d{4,}\}")
"""RE2 counts to a thousand; a window is hardly longer than what such a repeat allows."""
_MEMORY = 1024 * 1024
"""Bytes of one expression's automaton; RE2's own bound of 8 MiB, for 1,800 of them, is a guest's to fill."""


class Found(NamedTuple):
    """What was captured, and where the match begins, in characters."""

    fields: dict[str, str]
    start: int


class Effort:
    """How many characters may still be looked at. `skipped` counts the texts for which none were left."""

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.skipped = 0

    def take(self, characters: int) -> bool:
        """Whether so many may be looked at; they are used up."""
        if self.left < characters:
            self.skipped += 1
            return False
        self.left -= characters
        return True


class Haystack:
    """A text that several expressions are looked for in."""

    def __init__(self, text: str, effort: Effort | None = None) -> None:
        self.text, self._effort = text, effort
        self.raw = text.encode("utf-8", "surrogatepass")

    def take(self) -> bool:
        """Whether there is still effort left to look for one more expression."""
        return self._effort is None or self._effort.take(len(self.raw))

    def character(self, offset: int) -> int:
        """The character at that byte."""
        return offset if len(self.raw) == len(self.text) else len(self.raw[:offset].decode("utf-8", "ignore"))

    def offset(self, character: int) -> int:
        """The byte at which that character begins."""
        same = len(self.raw) == len(self.text)
        return character if same else len(self.text[:character].encode("utf-8", "surrogatepass"))


class Expression:
    """`reach` is how many bytes of a text are looked at around a place where it may match."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._exact, self._asked = _exact(regex)
        self._groups: list[tuple[str, int]] = []
        self.reach, self.states = NARROW, 0
        if self._exact is not None:
            self.states = int(self._exact.programsize)
            self.reach = max(min(WIDE, MOST_STEPS // self.states), 1)
            self._groups = [(name.decode(), index) for name, index in self._exact.groupindex.items()]

    @cached_property
    def _wide(self) -> Any:
        """What the engine looks for as well; only a long text is narrowed down by it. None: there is nothing."""
        form = raw_form(self._regex)
        return None if form is None else _taken(form)

    @property
    def is_linear(self) -> bool:
        """Whether RE2 takes it; otherwise `re` is asked."""
        return self._exact is not None

    def windows(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """Begin and end of the parts of a text in which it is looked for; none is longer than `reach`."""
        before, done = self.reach // 4, 0
        for _ in range(MOST_WINDOWS):
            place = self._place(raw, done)
            if place is None:
                return
            begin = max(0, place - before)
            yield begin, min(len(raw), begin + self.reach)
            # What begins in the last quarter may not end in it: the next window has it whole.
            done = max(begin + self.reach - before, place + 1)

    def within(self, text: Haystack, begin: int, end: int) -> Iterator[tuple[Found, int]]:
        """The matches between two offsets, each with the offset behind it."""
        if self._exact is None:
            yield from self._by_re(text, begin, end)
            return
        for _ in range(MOST_MATCHES):
            found = self._exact.search(text.raw, begin, end)
            if found is None:
                return
            if all(_holds(asked, text.raw, found.span(asked.group)) for asked in self._asked):
                yield Found(self._fields(found.groups()), text.character(found.start())), found.end()
                begin = max(found.end(), begin + 1)
            else:
                begin = found.start() + 1

    def _place(self, raw: bytes, start: int) -> int | None:
        """Where, from there on, something looks like a match."""
        if self._wide is None:
            return start if start < len(raw) else None
        found = self._wide.search(raw, start)
        return None if found is None else int(found.start())

    def _fields(self, values: tuple[bytes | None, ...]) -> dict[str, str]:
        captured = ((name, values[index - 1]) for name, index in self._groups)
        return {name: value.decode("utf-8", "replace") for name, value in captured if value is not None}

    def _by_re(self, text: Haystack, begin: int, end: int) -> Iterator[tuple[Found, int]]:
        found = compiled(self._regex).finditer(text.text, text.character(begin), text.character(end))
        for plain in islice(found, MOST_MATCHES):
            fields = {name: value for name, value in plain.groupdict().items() if value is not None}
            yield Found(fields, plain.start()), text.offset(plain.end())


@lru_cache(maxsize=8192)
def expression(regex: str) -> Expression:
    """Compiled on first use: most rules never see a candidate."""
    return Expression(regex)


def occurrences(regex: str, text: Haystack) -> Iterator[Found]:
    """The first matches of the expression in the text, in order."""
    if not text.take():
        return
    looked_for, behind = expression(regex), 0
    whole = [(0, len(text.raw))] if len(text.raw) <= NARROW else looked_for.windows(text.raw)
    for begin, end in whole:
        if end > behind:
            for found, after in looked_for.within(text, max(begin, behind), end):
                yield found
                behind = after


def first_match(regex: str, text: Haystack) -> Found | None:
    """The first match of the expression in the text."""
    return next(occurrences(regex, text), None)


def may_occur(pattern: re.Pattern[str], text: str) -> bool:
    """Whether it is worth asking `re` for a pattern in a long text; where this says no, it is nowhere in it."""
    if len(text) <= NARROW:
        return True
    looked_for = _without_its_surroundings(pattern.pattern, dot_is_all=bool(pattern.flags & re.DOTALL))
    return looked_for is None or looked_for.search(text.encode("utf-8", "surrogatepass")) is not None


@lru_cache(maxsize=64)
def _without_its_surroundings(regex: str, *, dot_is_all: bool) -> Any:
    parted = without_lookarounds(regex)
    return None if parted is None else _taken(("(?s)" if dot_is_all else "") + parted[0])


def _exact(regex: str) -> tuple[Any, list[Lookaround]]:
    """The expression in RE2 and what is asked at its places; None where RE2 cannot take it."""
    parted = without_lookarounds(regex)
    if parted is None:
        return None, []
    plain, asked = parted
    if not all(_taken(_rewritten(one)) for one in asked):
        return None, []
    return _taken(plain), asked


def _rewritten(asked: Lookaround) -> str:
    return rf"(?:{asked.inner})\Z" if asked.behind else asked.inner


def _holds(asked: Lookaround, raw: bytes, span: tuple[int, int]) -> bool:
    """Whether a lookaround holds at its place; -1 for the place: the match does not go through it."""
    place, end = span
    if place < 0:
        return True
    if asked.longest is not None:
        return end - place <= asked.longest
    pattern = _taken(_rewritten(asked))
    if asked.behind:
        found = pattern.search(raw[max(0, place - LONGEST_BEHIND) : place])
    else:
        found = pattern.match(raw, place, min(len(raw), place + WIDE))
    return (found is not None) == asked.wanted


@lru_cache(maxsize=2 * 8192)
def _taken(regex: str) -> Any:
    """The expression in RE2, for bytes; None where RE2 cannot take it."""
    options = re2.Options()
    options.log_errors, options.max_mem = False, _MEMORY
    if regex.isascii():  # a set of bytes takes a tenth of the states that a set of all characters does
        options.encoding = re2.Options.Encoding.LATIN1
    pattern = _LONG_REPEAT.sub("*", regex.replace(r"\Z", r"\z"))
    try:
        return re2.compile(b"(?m)" + pattern.encode(), options)
    except re2.error:
        return None
