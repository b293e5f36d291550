"""Everything that is looked for in logs, as one numbered list: signatures, error levels, and who is who."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xenwatch.diagnosis.identity import NAMINGS
from xenwatch.diagnosis.rule import Rule, Signature
from xenwatch.diagnosis.streams import seen_in, seen_in_guest_lines
from xenwatch.model.record import LogFormat


@dataclass(frozen=True, slots=True)
class Entry:
    """A signature of a rule; `key` names it over restarts."""

    rule: Rule
    signature: Signature
    key: str
    in_guest_lines: bool


class Known:
    """Index ranges: signatures from 0, then error levels of the dialects, then patterns that name domains."""

    def __init__(self, rules: Sequence[Rule], formats: Iterable[LogFormat]) -> None:
        self.entries = tuple(
            Entry(rule, signature, f"{rule.id}#{number}", seen_in_guest_lines(signature))
            for rule in rules
            for number, signature in enumerate(rule.signatures)
        )
        levels = [(f.name, f.error) for f in formats if f.error is not None]
        self.first_error = len(self.entries)
        self.first_naming = self.first_error + len(levels)
        self._levels = [name for name, _ in levels]
        self.regexes = [
            *(entry.signature.regex for entry in self.entries),
            *(_as_text(pattern) for _, pattern in levels),
            *(naming.pattern for naming in NAMINGS),
        ]
        self._allowed: dict[str, bytearray] = {}

    def allowed(self, format_: LogFormat) -> bytearray:
        """For each index, whether it is looked for in the dialect at all."""
        kept = self._allowed.get(format_.name)
        if kept is None:
            kept = bytearray(
                [seen_in(entry.signature, format_) or self._in_quoted_guests(entry, format_) for entry in self.entries]
                + [name == format_.name and not format_.guest_written for name in self._levels]
                + [not format_.guest_written] * len(NAMINGS)
            )
            self._allowed[format_.name] = kept
        return kept

    @staticmethod
    def _in_quoted_guests(entry: Entry, format_: LogFormat) -> bool:
        return entry.in_guest_lines and format_.guest_line is not None


def _as_text(pattern: re.Pattern[bytes]) -> str:
    inline = "".join(
        letter for flag, letter in ((re.IGNORECASE, "i"), (re.DOTALL, "s"), (re.VERBOSE, "x")) if pattern.flags & flag
    )
    text = pattern.pattern.decode("latin-1")
    return f"(?{inline}){text}" if inline else text
