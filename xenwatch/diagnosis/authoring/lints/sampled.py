"""Each signature has a line in some test of its rule that it matches: a message nobody ever showed may be misspelt."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import GivenLine, Rule


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        yield from _unproven(rule)


def _unproven(rule: Rule) -> Iterator[Problem]:
    lines = [g.line for test in rule.tests for g in test.given if isinstance(g, GivenLine)]
    for index, signature in enumerate(rule.signatures):
        # `re` on the bare line: wrapped lines count too, and a header before the message does no harm.
        pattern = compiled(signature.regex.removeprefix("^"))
        if not any(pattern.search(line) or pattern.search(line.replace("\n", " ")) for line in lines):
            key = f"signatures[{index}].regex"
            yield problem(rule, key, "no test has a line that it matches", signature.line)


LINT = Lint("each signature is shown by a test", _check, "advice")
