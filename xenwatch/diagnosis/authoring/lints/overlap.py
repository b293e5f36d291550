"""No two rules answer to the same line unless one explains the other, or they lie at different depths."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.rules.rule import Rule, RuleTest


def _check(library: Library) -> Iterator[Problem]:
    yield from _twins(library)
    rules = {rule.id: rule for rule in library.rules}
    pairs: set[tuple[str, str]] = set()
    for rule in library.rules:
        for index, test in enumerate(rule.tests):
            for other in _others(library, rule, test):
                pair = (rule.id, other) if rule.id < other else (other, rule.id)
                if pair not in pairs and not _explained(rule, rules[other]):
                    pairs.add(pair)
                    message = f"{other} fires on {test.name!r} too: let one explain the other, or give them depths"
                    yield problem(rule, f"tests[{index}]", message, test.line)


def _others(library: Library, rule: Rule, test: RuleTest) -> list[str]:
    """Rules that fire with this one on its own story of one item: longer stories may hold several troubles."""
    if not test.expect or len(test.given) > 1:
        return []
    try:
        fired = {d.rule for d in library.bench.diagnoses(test)}
    except ValueError:  # an unknown format: the tests themselves say so
        return []
    return sorted(fired - {rule.id}) if rule.id in fired else []


def _explained(one: Rule, other: Rule) -> bool:
    return (
        one.depth != other.depth
        or one.severity == "info"
        or other.severity == "info"
        or any(
            symptom.id in cause.explains or f"class:{symptom.class_}" in cause.explains
            for cause, symptom in ((one, other), (other, one))
        )
    )


def _twins(library: Library) -> Iterator[Problem]:
    first: dict[tuple[str, str | None, tuple[str, ...]], Rule] = {}
    for rule in library.rules:
        for index, signature in enumerate(rule.signatures):
            same = first.setdefault((signature.regex, signature.where, tuple(sorted(signature.streams))), rule)
            if same is not rule:
                key = f"signatures[{index}].regex"
                yield problem(rule, key, f"is also a signature of {same.id}", signature.line)


LINT = Lint("rules do not answer for each other", _check)
