"""Engines that look for the literals in signatures: in one automaton, or one after another without any library."""

from collections.abc import Sequence
from pathlib import Path

from xenwatch.diagnosis.matching.literal_store import literals_of
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.matching.prefilter import Candidate


class FindPrefilter:
    """No library at all: `bytes.find` for each literal."""

    name = "re"
    stopped = 0

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


class AhoCorasickPrefilter:
    """The rarest literals of all signatures in one automaton."""

    name = "ahocorasick"
    stopped = 0

    def __init__(self, regexes: Sequence[str], cache: Path | None = None) -> None:
        import ahocorasick_rs  # noqa: PLC0415  a wheel that some platforms lack

        owners: dict[bytes, list[int]] = {}
        for index, texts in enumerate(literals_of(regexes, cache)):
            for text in texts:
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
