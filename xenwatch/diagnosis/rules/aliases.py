"""Ids that a rule had before still mean it: whatever names one of them is read as the rule's present id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xenwatch.diagnosis.rules.rule import (
    AbsentCondition,
    AllOf,
    AnyOf,
    Condition,
    CountCondition,
    EventCondition,
    Rule,
    SequenceCondition,
)


def present_ids(rules: Iterable[Rule]) -> dict[str, str]:
    """The present id of each former one."""
    return {alias: rule.id for rule in rules for alias in rule.aliases}


def with_present_ids(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules, with what they name by a former id named by the present one: rules and those rules' own events."""
    ids = present_ids(rules)
    return tuple(_renamed(rule, ids) for rule in rules) if ids else tuple(rules)


def _renamed(rule: Rule, ids: Mapping[str, str]) -> Rule:
    explains = tuple(dict.fromkeys(ids.get(name, name) for name in rule.explains))
    ends = tuple(ids.get(event, event) for event in rule.resolve.on)
    when = _condition(rule.when, ids)
    hypotheses = tuple(replace(h, when=_condition(h.when, ids)) if h.when else h for h in rule.hypotheses)
    if (explains, ends, when, hypotheses) == (rule.explains, rule.resolve.on, rule.when, rule.hypotheses):
        return rule
    ends_on = replace(rule.resolve, on=ends)
    return replace(rule, explains=explains, when=when, resolve=ends_on, hypotheses=hypotheses)


def _condition(condition: Condition, ids: Mapping[str, str]) -> Condition:
    match condition:
        case AllOf(parts):
            return AllOf(tuple(_condition(part, ids) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_condition(part, ids) for part in parts))
        case EventCondition(event) | CountCondition(event):
            return replace(condition, event=ids.get(event, event))
        case SequenceCondition(events):
            return replace(condition, events=tuple(ids.get(event, event) for event in events))
        case AbsentCondition(after, expect):
            return replace(condition, after=ids.get(after, after), expect=ids.get(expect, expect))
        case _:
            return condition
