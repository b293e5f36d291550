"""What looks for signatures in a chunk of raw bytes: one interface, several engines.

An engine may name too many places and never too few: the scanner asks `re` about each, so all engines find the same.
"""

from typing import Literal, Protocol

PrefilterName = Literal["auto", "hyperscan", "ahocorasick", "re"]
Candidate = tuple[int, int]
"""Offset in the chunk (inside the match, or just behind it) and index of the signature."""


class Prefilter(Protocol):
    """Made from the regular expressions of all signatures; an index is a position in that list."""

    name: str
    everywhere: tuple[int, ...]
    """Signatures that it cannot look for: each record must be asked. The lints keep this empty."""
    stopped: int
    """How often it gave up a part of a line that was made to hold it up."""

    def candidates(self, data: bytes) -> list[Candidate]:
        """Where signatures might match, in the order of offsets."""
