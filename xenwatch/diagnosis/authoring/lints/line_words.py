"""What expressions compare `device.kind`, `guest.phase` and `operation.phase` with are words that these can have."""

import re
from collections.abc import Iterator
from typing import get_args

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.operations.devices import KINDS
from xenwatch.diagnosis.operations.guest_phases import GuestPhase
from xenwatch.diagnosis.operations.phases import PHASES
from xenwatch.diagnosis.rules.line_values import UNKNOWN, expressions
from xenwatch.diagnosis.rules.rule import Rule

_WORDS: dict[str, frozenset[str]] = {
    "device.kind": frozenset({UNKNOWN, *(kind.name for kind in KINDS)}),
    "guest.phase": frozenset({UNKNOWN, *get_args(GuestPhase)}),
    "operation.phase": frozenset({UNKNOWN, *PHASES}),
}
_COMPARED = re.compile(rf"({'|'.join(map(re.escape, _WORDS))}) *(?:[!=]= *(['\"][^'\"]*['\"])|in *(\[[^\]]*\]))")
_QUOTED = re.compile(r"['\"]([^'\"]*)['\"]")


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        yield from _early(rule)
        own = [signature.where for signature in rule.signatures if signature.where]
        for expression in (*own, *expressions(rule)):
            for name, one, several in _COMPARED.findall(expression):
                for word in sorted(set(_QUOTED.findall(one or several)) - _WORDS[name]):
                    possible = ", ".join(sorted(_WORDS[name]))
                    yield problem(rule, "when", f"{name} is never {word!r}; it is one of {possible}")


def _early(rule: Rule) -> Iterator[Problem]:
    for index, signature in enumerate(rule.signatures):
        if signature.where and "operation." in signature.where:
            message = "the operation is known only after the match: ask in `when` or in a hypothesis"
            yield problem(rule, f"signatures[{index}].where", message, signature.line)


LINT = Lint("expressions use the words that lines can have", _check)
