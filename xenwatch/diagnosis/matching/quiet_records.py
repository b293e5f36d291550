"""Records of which nothing follows: known by their shape, they are passed over before anything of them is read.

A healthy log says the same harmless thing by the thousand, each time with other numbers. Where no pattern that was
asked for looks at which digits there are, the next record of that shape means as little as the first.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.kernel_role import NO_ROLES, Roles
from xenwatch.diagnosis.matching.signature_index import SignatureIndex
from xenwatch.model.record import LogFormat

MOST_SHAPES, LONGEST_RECORD = 4096, 2000
_NOT_ASKED = 2
"""Whether a pattern looks at digits is found out when it is asked for first."""
_NEWLINE = ord("\n")
_ONE_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_ZERO_OR_NOT = bytes.maketrans(b"23456789", b"1" * 8)
"""All that the words of errors tell apart: `rc = 0` is none."""
_ANY_DIGIT = re.compile(r"\\[dD]|0-9|\{\d*,?\d*\}|\(\?P<\w+>")
"""What of a pattern speaks of digits, and takes any."""
_SOME_DIGIT = re.compile(r"\d|\(\?P=")
_STAMPS = re.compile(
    rb"(?:<\d{1,3}>)?(?:(?:[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8}(?:\.\d{1,9})?"
    rb"|\d{4}-?\d\d-?\d\d[ T][\d:]{8}(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,5}\b)?) "
    rb"(?P<host>\S*) (?P<tag>kernel: ?)?)?(?:\(XEN\) ?)?(?:\[ *\d+\.\d{6}\])?"
)
"""Times and host that begin a line. What stands there is no part of the message that patterns are looked for in."""

Writers = tuple[frozenset[tuple[bytes, str]], bytes]
"""The kernels that write in a log, and the host that a line names."""
Shape = tuple[str, bytes, frozenset[int], Writers | None]
"""Format, the record with one digit for all, what was asked of it, and what says which kernel may have written it."""


class QuietRecords:
    """By shape: the rules that match and of which nothing follows. Bounded: when it is full it starts over."""

    def __init__(self, index: SignatureIndex) -> None:
        self._index, self._error = index, index.error
        self._looks_at_digits = bytearray([_NOT_ASKED]) * index.error + bytearray(1)
        self._known: dict[Shape, tuple[str, ...]] = {}

    def shape(
        self, format_: LogFormat, data: bytes, start: int, end: int, asked: AbstractSet[int], roles: Roles = NO_ROLES
    ) -> Shape | None:
        """The shape of the record there; None where it cannot be told. `roles` are those of the log's kernels."""
        if end - start > LONGEST_RECORD or (start and data[start - 1] != _NEWLINE):
            return None  # of a record without its beginning nobody knows who wrote it
        digits = _ZERO_OR_NOT if self._error in asked else _ONE_DIGIT
        stamps = _STAMPS.match(data, start, end)
        behind, writers = end, None
        for index in asked:
            looks = self._looks_at_digits[index]
            if looks and (looks != _NOT_ASKED or self._find_out(index)):
                behind = stamps.end() if stamps is not None else start
                break
        if format_.kernel_line is not None:
            host = (stamps["host"] if stamps is not None else None) or b""
            writers = roles.by_host, host
            named = host in roles.hosts and stamps is not None and bool(stamps["tag"])
            if not (roles.all_known and (named or b"" in roles.hosts)):
                # The words of the record may say by themselves which kernel wrote it.
                behind = stamps.end() if stamps is not None else start
        text = data[start:behind].translate(digits) + data[behind:end]
        return format_.name, text, frozenset(asked), writers

    def _find_out(self, index: int) -> bool:
        entries = self._index.entries
        with_where = index < len(entries) and entries[index].signature.where is not None
        self._looks_at_digits[index] = looks = with_where or _looks_at_digits(self._index.regexes[index])
        return looks

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
