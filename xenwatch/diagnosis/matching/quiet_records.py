"""Records of which nothing follows: known by their shape, they are passed over before anything of them is read.

A healthy log says the same harmless thing by the thousand, each time with other numbers. Where no pattern that was
asked for looks at which digits there are, the next record of that shape means as little as the first.
"""

import re
from collections.abc import Sequence

from xenwatch.diagnosis.matching.signature_index import SignatureIndex
from xenwatch.model.record import LogFormat

MOST_SHAPES, LONGEST_RECORD = 4096, 2000
_ONE_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_ANY_DIGIT = re.compile(r"\\[dD]|0-9|\{\d*,?\d*\}|\(\?P<\w+>")
"""What of a pattern speaks of digits, and takes any."""
_SOME_DIGIT = re.compile(r"\d|\(\?P=")

Shape = tuple[str, bytes, frozenset[int]]
"""Format, the record with `0` for each digit, and what was asked of it."""


class QuietRecords:
    """By shape: the rules that match and of which nothing follows. Bounded: when it is full it starts over."""

    def __init__(self, index: SignatureIndex) -> None:
        self._looks_at_digits = bytearray(map(_looks_at_digits, index.regexes)) + bytearray(1)
        for number, entry in enumerate(index.entries):
            self._looks_at_digits[number] |= entry.signature.where is not None
        self._known: dict[Shape, tuple[str, ...]] = {}

    def shape(self, format_: LogFormat, data: bytes, start: int, end: int, asked: set[int]) -> Shape | None:
        """The shape of the record there; None where its digits may matter, or a kernel wrote it."""
        if end - start > LONGEST_RECORD or any(self._looks_at_digits[index] for index in asked):
            return None
        if format_.kernel_line is not None and format_.kernel_line.match(data, start) is not None:
            return None
        return format_.name, data[start:end].translate(_ONE_DIGIT), frozenset(asked)

    def rules(self, shape: Shape) -> tuple[str, ...] | None:
        """Ids of the rules that match such a record, once for each signature; None where it is not known as quiet."""
        return self._known.get(shape)

    def note(self, shape: Shape, rules: Sequence[str]) -> None:
        """Nothing followed from such a record."""
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        self._known[shape] = tuple(rules)


def _looks_at_digits(regex: str) -> bool:
    return _SOME_DIGIT.search(_ANY_DIGIT.sub("", regex)) is not None
