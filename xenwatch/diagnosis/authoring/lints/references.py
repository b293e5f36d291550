"""A stable rule says where its messages come from."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        if rule.status == "stable" and not rule.references and not any(s.source for s in rule.signatures):
            yield problem(rule, "references", "a stable rule needs references, or a `source` at a signature")


LINT = Lint("stable rules have references", _check)
