"""Each rule has a test that fires and one that stays quiet, and all pass."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.rules.rule import Rule


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        yield from _kinds(library, rule)
    for verdict in library.bench.run(library.rules):
        if not verdict.ok:
            key = f"tests[{verdict.rule.tests.index(verdict.test)}]"
            yield problem(verdict.rule, key, f"{verdict.test.name}: {verdict.message}", verdict.test.line)


def _kinds(library: Library, rule: Rule) -> Iterator[Problem]:
    if rule.noise:
        shown = [library.bench.recognised(rule, test) for test in rule.tests]
        fires, quiet = any(shown), not all(shown)
    else:
        fires, quiet = any(t.expect for t in rule.tests), any(not t.expect for t in rule.tests)
    if not fires:
        yield problem(rule, "tests", "has no test that fires")
    if not quiet:
        yield problem(rule, "tests", "has no test that stays quiet")


LINT = Lint("rules are tested both ways", _check)
