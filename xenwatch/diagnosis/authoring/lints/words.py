"""A rule says what is wrong and why, and fills its words only with fields that its signatures capture."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.correlation.conditions import kinds_in, parts_of
from xenwatch.diagnosis.rules.rule import FactCondition, MetricCondition, Rule
from xenwatch.diagnosis.rules.templates import PLACE, SUBJECT_FIELDS, capture_names

_QUOTED = re.compile(r"""(["'])[^"']*\{[a-z_][a-z0-9_]*\}[^"']*\1""")


def _check(library: Library) -> Iterator[Problem]:
    by_event: dict[str, set[str]] = {}
    for rule in library.rules:
        for signature in rule.signatures:
            by_event.setdefault(signature.event, set()).update(capture_names(rule))
    for rule in library.rules:
        if not rule.noise and not rule.cause:
            yield problem(rule, "cause", "is missing: say why this happens, in the operator's words")
        elif not rule.noise and not rule.remedy:
            yield problem(rule, "remedy", "is missing: say what to do")
        yield from _places(rule, by_event)


def _places(rule: Rule, by_event: dict[str, set[str]]) -> Iterator[Problem]:
    names = {*capture_names(rule), *SUBJECT_FIELDS, "value"} | {name for look in rule.look for name in look.compute}
    for part in parts_of(rule.when):
        names |= part.compute.keys() if isinstance(part, FactCondition) else set()
    asked = [rule.when, *(hypothesis.when for hypothesis in rule.hypotheses if hypothesis.when is not None)]
    for kind in frozenset[str]().union(*map(kinds_in, asked)):
        names |= by_event.get(kind, set())
    if any(isinstance(part, MetricCondition) for part in parts_of(rule.when)):
        return  # the labels of a metric are fields too, and they are declared elsewhere
    texts = [("title", rule.title), ("cause", rule.cause), *(("subject_name", name) for name in rule.subject_name)]
    texts += [(f"verify[{i}]", text) for i, text in enumerate(rule.verify)]
    texts += [(f"hypotheses[{i}].cause", hypothesis.cause) for i, hypothesis in enumerate(rule.hypotheses)]
    texts += [(f"look[{i}].says", look.says) for i, look in enumerate(rule.look)]
    texts += [(f"remedy[{i}]", text) for i, text in enumerate(rule.remedy)]
    for key, text in texts:
        for name in PLACE.findall(text):
            if name not in names:
                yield problem(
                    rule, key, f"{{{name}}} is captured by no signature; there are {', '.join(sorted(names))}"
                )
        if key.startswith(("verify", "remedy")) and _QUOTED.search(text):
            yield problem(
                rule, key, "puts a {field} inside quotes; fields are quoted for the shell when they are filled in"
            )


LINT = Lint("words are there and can be filled", _check)
