"""Everything that is looked for in logs, as one numbered list: signatures, who is who, error levels."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from xenwatch.base.last_made import LastMade
from xenwatch.diagnosis.matching.log_scope import seen_in, seen_in_guest_lines
from xenwatch.diagnosis.namings import NAMINGS
from xenwatch.diagnosis.operations.marks import MARKS
from xenwatch.diagnosis.rules.line_values import expressions
from xenwatch.diagnosis.rules.rule import Rule, Signature
from xenwatch.model.record import LogFormat

OWN_LINES, QUOTED_GUESTS = 1, 2
"""Lines that the format's own writer wrote, and lines of a guest in a host's log: quoted, or its kernel's."""


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """A signature of a rule; `key` names it over restarts."""

    rule: Rule
    signature: Signature
    key: str


class SignatureIndex:
    """Index ranges: signatures from 0, then patterns that name domains, marks of operations, what errors look like.

    `regexes` are those of all but the last, which is looked for apart: its words are everywhere.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.entries = tuple(
            SignatureEntry(rule, signature, f"{rule.id}#{number}")
            for rule in rules
            for number, signature in enumerate(rule.signatures)
        )
        self.first_naming = len(self.entries)
        self.first_mark = self.first_naming + len(NAMINGS)
        self.error = self.first_mark + len(MARKS)
        self.regexes = [
            *(entry.signature.regex for entry in self.entries),
            *(naming.pattern for naming in NAMINGS),
            *(mark.pattern.pattern for mark in MARKS),
        ]
        self.sought = [*self.regexes[: self.first_mark], *(mark.sought for mark in MARKS)]
        """What the engine looks for on behalf of each."""
        self.asking_guest_phase = frozenset(
            rule.id for rule in rules if any("guest.phase" in expression for expression in expressions(rule))
        )
        """Rules that ask how far a guest's own software had got."""
        self._allowed: dict[str, bytearray] = {}

    def only_names(self, asked: AbstractSet[int]) -> bool:
        """Whether nothing is asked but who is who and what is being done."""
        return min(asked) >= self.first_naming and max(asked) < self.error

    def allowed(self, format_: LogFormat) -> bytearray:
        """For each signature and naming, in which lines of the format it is looked for: OWN_LINES, QUOTED_GUESTS."""
        kept = self._allowed.get(format_.name)
        if kept is None:
            kept = bytearray(
                [_where_seen(entry.signature, format_) for entry in self.entries]
                + [OWN_LINES * (not (format_.guest_written or format_.guest_prompts))] * (len(NAMINGS) + len(MARKS))
            )
            self._allowed[format_.name] = kept
        return kept


def _where_seen(signature: Signature, format_: LogFormat) -> int:
    carries = format_.guest_line is not None or format_.kernel_line is not None
    quoted = carries and seen_in_guest_lines(signature)
    return OWN_LINES * seen_in(signature, format_) | QUOTED_GUESTS * quoted


_INDEXES: LastMade[Sequence[Rule], SignatureIndex] = LastMade(SignatureIndex)


def index_of(rules: Sequence[Rule]) -> SignatureIndex:
    """The same for all who read with one library: nothing of it is of a log or of a host."""
    return _INDEXES.of(rules)
