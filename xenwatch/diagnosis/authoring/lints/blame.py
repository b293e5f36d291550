"""A rule that knows a message only by where it comes from says what happened, and blames nothing for it."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.correlation.hypotheses import UNDECIDED

_BLAMING = frozenset({"toolstack-bug", "config-invalid", "toolstack-version-mismatch"})
"""Classes that say who made the mistake."""


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        if rule.fallback and rule.class_ in _BLAMING:
            yield problem(rule, "class", f"a fallback knows no reason: class {UNDECIDED}, not {rule.class_}")
        if rule.class_ == UNDECIDED and rule.depth == "cause" and not rule.hypotheses:
            yield problem(rule, "depth", f"a rule of class {UNDECIDED} knows no cause: symptom or mechanism")


LINT = Lint("fallbacks do not blame", _check)
