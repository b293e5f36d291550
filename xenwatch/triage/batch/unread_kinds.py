"""The error lines that no rule knows, over all bundles: those that differ only in names and numbers are one kind."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.base.text_shape import text_shape

MOST_KINDS = 20_000
_LONGEST = 300
_NAMES = re.compile(
    r"'[^']*'|\"[^\"]*\"|(?<![\w.])/[\w./:+@-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"
)
_HEADER = re.compile(r"(?:[A-Z][a-z]{2} [ \d]\d [\d:.]+|\d{4}-\d\d-\d\d[T ]\S+) \S+ (?=[\w.()/-]+(?:\[\d+\])?: )")
"""Of syslog, where a log of another kind holds such lines: the host in it would make each host's lines a kind."""


@dataclass(slots=True)
class UnreadAcross:
    """One kind: how many lines, in how many bundles, and the first of them."""

    text: str
    bundle: str
    file: str
    guest: bool
    lines: int = 0
    bundles: int = 0


def line_shape(text: str) -> str:
    """The first line without what names one guest, file or number: bundles of other hosts have other names."""
    line = _HEADER.sub("", text.split("\n", 1)[0][:_LONGEST], count=1)
    return text_shape(_NAMES.sub("<name>", line))


class UnreadAcrossBundles:
    """Takes in bundle after bundle; bounded, so that a million odd lines cannot fill the memory."""

    def __init__(self) -> None:
        self._kinds: dict[str, UnreadAcross] = {}

    def add(self, bundle: str, lines: Iterable[Mapping[str, Any]]) -> None:
        """What one bundle has of them, as its report lists them."""
        seen = set[str]()
        for line in lines:
            shape = line_shape(line["text"])
            kind = self._kinds.setdefault(shape, UnreadAcross(line["text"], bundle, line["file"], line["guest"]))
            kind.lines += line["count"]
            kind.bundles += shape not in seen
            seen.add(shape)
        if len(self._kinds) > MOST_KINDS:
            self._kinds = dict(self._ordered()[: MOST_KINDS // 2])

    @property
    def kinds(self) -> list[UnreadAcross]:
        """Those of most bundles first; what guests wrote stands last."""
        return [kind for _, kind in self._ordered()]

    def unlike(self, shapes: Iterable[str]) -> list[UnreadAcross]:
        """Those that are not among these shapes."""
        known = frozenset(shapes)
        return [kind for shape, kind in self._ordered() if shape not in known]

    def _ordered(self) -> list[tuple[str, UnreadAcross]]:
        return sorted(self._kinds.items(), key=lambda item: (item[1].guest, -item[1].bundles, -item[1].lines, item[0]))
