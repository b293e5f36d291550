"""Each signature is confirmed in time that grows with the text alone: guests write into names, paths and consoles."""

from collections.abc import Iterable, Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.matching.linear import NARROW, expression
from xenwatch.diagnosis.rules.rule import Rule


def _check(library: Library) -> Iterator[Problem]:
    return not_linear(library.rules)


def not_linear(rules: Iterable[Rule]) -> Iterator[Problem]:
    """A problem for each signature that RE2 cannot take."""
    message = (
        f"RE2 cannot take it, so it is looked for in {NARROW} characters at most: leave out backreferences, and "
        "lookarounds in what is repeated"
    )
    for rule in rules:
        for index, signature in enumerate(rule.signatures):
            if not expression(signature.regex).is_linear:
                yield problem(rule, f"signatures[{index}].regex", message, signature.line)


LINT = Lint("signatures are confirmed in linear time", _check)
