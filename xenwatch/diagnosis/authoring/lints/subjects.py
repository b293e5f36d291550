"""A test of a rule about guests says which guest the incident is of, which can go wrong unnoticed."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        if rule.subject != "domain":
            continue
        for index, test in enumerate(rule.tests):
            if any(incident.subject is None for incident in test.expect):
                message = "does not say which subject it expects: write `subject: domain/NAME`"
                yield problem(rule, f"tests[{index}].expect", message, test.line)


LINT = Lint("tests of rules about guests name the guest", _check)
