"""`re` with patterns that are compiled when they are first asked: a start needs fifty of the five hundred there are.

Imported as `re` by modules that hold patterns: `from xenwatch.base import lazy_re as re`. A pattern that cannot be
compiled is found at its first use; a test compiles all.
"""

import re
from re import (
    ASCII,
    DOTALL,
    IGNORECASE,
    MULTILINE,
    VERBOSE,
    Match,
    Pattern,
    error,
    escape,
    finditer,
    fullmatch,
    match,
    search,
    split,
    sub,
)
from typing import Any, AnyStr, cast

__all__ = [
    "ASCII", "DOTALL", "IGNORECASE", "MULTILINE", "VERBOSE", "LazyPattern", "Match", "Pattern",
    "compile", "error", "escape", "finditer", "fullmatch", "match", "search", "split", "sub",
]  # fmt: skip

_TAKEN_OVER = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split", "flags", "groups",
               "groupindex")  # fmt: skip


class LazyPattern:
    """Has what `re.Pattern` has; after its first use each of its methods is that of the pattern itself."""

    __slots__ = ("_flags", "pattern", *_TAKEN_OVER)

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """Only asked for what is not there: before the first use."""
        if name not in _TAKEN_OVER:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._flags)
        for taken in _TAKEN_OVER:
            setattr(self, taken, getattr(compiled, taken))
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return compile, (self.pattern, self._flags)

    def __repr__(self) -> str:
        return f"compile({self.pattern!r}, {self._flags})"


def compile(pattern: AnyStr, flags: int = 0) -> Pattern[AnyStr]:  # noqa: A001 (it stands for that of `re`)
    """The pattern, not compiled yet."""
    return cast("Pattern[AnyStr]", LazyPattern(pattern, int(flags)))
