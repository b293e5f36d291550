"""Which signatures might match where in a chunk of raw bytes: one interface, the fastest engine that is to be had.

An engine may name too many places and never too few: the scanner asks `re` about each, so all engines find the same.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from xenwatch.diagnosis.literals import literals

log = logging.getLogger(__name__)

EngineName = Literal["auto", "hyperscan", "ahocorasick", "re"]
Candidate = tuple[int, int]
"""Offset in the chunk (inside the match, or just behind it) and index of the signature."""


class Engine(Protocol):
    """Made from the regular expressions of all signatures; an index is a position in that list."""

    name: str
    everywhere: tuple[int, ...]
    """Signatures that it cannot look for: each record must be asked. The lints keep this empty."""

    def candidates(self, data: bytes) -> list[Candidate]:
        """Where signatures might match, in the order of offsets."""


def make_engine(regexes: Sequence[str], name: EngineName = "auto", cache: Path | None = None) -> Engine:
    """The engine asked for, or the first that works here; `cache` is a folder for compiled databases."""
    if name == "auto":
        for maker in (_hyperscan, _aho_corasick):
            try:
                return maker(regexes, cache)
            except (ImportError, RuntimeError, ValueError) as error:
                log.warning("%s cannot be used: %s", maker.__name__.strip("_"), error)
        return FindEngine(regexes)
    return _MAKERS[name](regexes, cache)


def takes_long(regexes: Sequence[str], cache: Path | None) -> bool:
    """Whether `make_engine` would compile for a second or more, because no database of these is kept."""
    try:
        from xenwatch.diagnosis.hyperscan_engine import kept_file  # noqa: PLC0415  a wheel that some platforms lack
    except ImportError:
        return False
    return cache is None or not kept_file(regexes, cache).exists()


class FindEngine:
    """No library at all: `bytes.find` for each literal."""

    name = "re"

    def __init__(self, regexes: Sequence[str]) -> None:
        self._literals = [(index, text) for index, regex in enumerate(regexes) for text in literals(regex)]
        found = {index for index, _ in self._literals}
        self.everywhere = tuple(index for index in range(len(regexes)) if index not in found)

    def candidates(self, data: bytes) -> list[Candidate]:
        lowered = data.lower()
        found: list[Candidate] = []
        for index, text in self._literals:
            at = lowered.find(text)
            while at >= 0:
                found.append((at + 1, index))
                at = lowered.find(text, at + 1)
        return sorted(found)


class AhoCorasickEngine:
    """The rarest literals of all signatures in one automaton."""

    name = "ahocorasick"

    def __init__(self, regexes: Sequence[str]) -> None:
        import ahocorasick_rs  # noqa: PLC0415  a wheel that some platforms lack

        owners: dict[bytes, list[int]] = {}
        for index, regex in enumerate(regexes):
            for text in literals(regex):
                owners.setdefault(text, []).append(index)
        self._owners = list(owners.values())
        self._automaton = ahocorasick_rs.BytesAhoCorasick(list(owners)) if owners else None
        found = {index for owner in self._owners for index in owner}
        self.everywhere = tuple(index for index in range(len(regexes)) if index not in found)

    def candidates(self, data: bytes) -> list[Candidate]:
        if self._automaton is None:
            return []
        hits = self._automaton.find_matches_as_indexes(data.lower(), overlapping=True)
        return sorted((start + 1, index) for text, start, _ in hits for index in self._owners[text])


def _hyperscan(regexes: Sequence[str], cache: Path | None) -> Engine:
    from xenwatch.diagnosis.hyperscan_engine import HyperscanEngine  # noqa: PLC0415  a wheel that some platforms lack

    return HyperscanEngine(regexes, cache)


def _aho_corasick(regexes: Sequence[str], _cache: Path | None) -> Engine:
    return AhoCorasickEngine(regexes)


def _find(regexes: Sequence[str], _cache: Path | None) -> Engine:
    return FindEngine(regexes)


_MAKERS: dict[str, Callable[[Sequence[str], Path | None], Engine]] = {
    "hyperscan": _hyperscan,
    "ahocorasick": _aho_corasick,
    "re": _find,
}


def hyperscan_takes(form: str) -> bool:
    """Whether Hyperscan compiles this raw form; true where Hyperscan is not to be had, for want of an answer."""
    try:
        from xenwatch.diagnosis.hyperscan_engine import compiles  # noqa: PLC0415  a wheel that some platforms lack
    except ImportError:
        return True
    return compiles(form)
