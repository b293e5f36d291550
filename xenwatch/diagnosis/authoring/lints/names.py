"""Whatever a rule names exists: rules, classes, events, formats, actions, metrics."""

import difflib
from collections.abc import Collection, Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.correlation.conditions import kinds_in, parts_of
from xenwatch.diagnosis.rules.rule import MetricCondition, Rule


def _check(library: Library) -> Iterator[Problem]:
    ids = {rule.id for rule in library.rules}
    classes = {f"class:{name}" for rule in library.rules for name in rule.classes}
    events = {signature.event for rule in library.rules for signature in rule.signatures}
    for rule in library.rules:
        yield from _unknown(rule, "explains", rule.explains, ids | classes)
        yield from _unknown(rule, "when", kinds_in(rule.when), events)
        for index, hypothesis in enumerate(rule.hypotheses):
            if hypothesis.when is not None:
                yield from _unknown(rule, f"hypotheses[{index}].when", kinds_in(hypothesis.when), events)
        yield from _unknown(rule, "resolve.on", rule.resolve.on, events)
        for index, signature in enumerate(rule.signatures):
            yield from _unknown(rule, f"signatures[{index}].streams", signature.streams, library.formats.keys())
        if library.actions is not None:
            yield from _unknown(rule, "actions", rule.actions, library.actions)
        if library.metrics is not None:
            metrics = [part.metric for part in parts_of(rule.when) if isinstance(part, MetricCondition)]
            yield from _unknown(rule, "when", metrics, library.metrics)


def _unknown(rule: Rule, key: str, named: Collection[str], candidates: Collection[str]) -> Iterator[Problem]:
    for name in sorted(set(named) - set(candidates)):
        near = difflib.get_close_matches(name, candidates, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield problem(rule, key, f"nothing is called {name!r}{hint}")


LINT = Lint("what is named exists", _check)
