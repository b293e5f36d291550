"""A sentence reads well whichever signature matched: a field that may stay empty stands in a parenthesis."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.captures import always_captured
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.authoring.rule_texts import prose
from xenwatch.diagnosis.correlation.conditions import kinds_in, parts_of
from xenwatch.diagnosis.rules.rule import MetricCondition, Rule
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
    kinds = kinds_in(rule.when)
    subject = {"subject", "value"} | ({"domain"} if rule.subject == "domain" else set())
    return always_captured(s for r in library.rules for s in r.signatures if s.event in kinds) | subject


LINT = Lint("sentences can be filled by every signature", _check)
