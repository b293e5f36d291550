"""A sentence reads well whichever signature matched: a field that may stay empty stands in a parenthesis."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.captures import always_captured
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.authoring.rule_texts import prose
from xenwatch.diagnosis.correlation.conditions import kinds_in, parts_of
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, Condition, FactCondition, MetricCondition, Rule
from xenwatch.diagnosis.rules.templates import PLACE

_ASIDE = re.compile(r"\([^()]*\)")


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        if any(isinstance(part, MetricCondition) for part in parts_of(rule.when)):
            continue  # the labels of a metric are always there, and are declared elsewhere
        filled = _filled(library, rule)
        for key, text in prose(rule):
            for name in dict.fromkeys(PLACE.findall(_ASIDE.sub("", text))):
                if name not in filled:
                    yield problem(rule, key, f"{{{name}}} is not captured by every signature: put it into (…)")


def _filled(library: Library, rule: Rule) -> frozenset[str]:
    subject = {"subject", "value"} | ({"domain"} if rule.subject == "domain" else set())
    return _filled_by(rule.when, library) | subject


def _filled_by(condition: Condition, library: Library) -> frozenset[str]:
    """Fields that are there whichever way the condition came to hold."""
    match condition:
        case AllOf(parts):
            return frozenset().union(*(_filled_by(part, library) for part in parts))
        case AnyOf(parts):
            return frozenset.intersection(*(_filled_by(part, library) for part in parts))
        case FactCondition(compute=compute):
            return frozenset(compute)
    kinds = kinds_in(condition)
    return always_captured(s for rule in library.rules for s in rule.signatures if s.event in kinds)


LINT = Lint("sentences can be filled by every signature", _check)
