"""Which of a rule's hypotheses something supports: it gives the class and the cause of the diagnosis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.diagnosis.correlation.conditions import ConditionContext, evaluate, kinds_in, parts_of
from xenwatch.diagnosis.rules.expressions import holds
from xenwatch.diagnosis.rules.line_values import event_values
from xenwatch.diagnosis.rules.rule import Condition, FactCondition, Hypothesis, MetricCondition, Rule
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.event import Event
from xenwatch.model.numbers import prior_class

UNDECIDED = "unknown"
"""The class of a rule that knows what happened and not why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Class and words of the cause, what speaks for them, and how a person finds out what nothing here decided."""

    class_: str
    cause: str
    evidence: tuple[Evidence, ...] = ()
    unchecked: tuple[str, ...] = ()


def decide(rule: Rule, fields: Mapping[str, str], world: ConditionContext, fact_says: str | None) -> Decision:
    """The first hypothesis that something supports; else what a fact says (`look`); else the rule's own class.

    Where the rule itself has no class to give, an error number that speaks for one decides.
    """
    open_questions: list[str] = []
    for hypothesis in rule.hypotheses:
        supported, evidence = _support(hypothesis, fields, world)
        if supported:
            return Decision(hypothesis.class_, hypothesis.cause or rule.cause, evidence)
        if supported is None and hypothesis.tell:
            open_questions.append(hypothesis.tell)
    if fact_says is not None:
        return Decision(fact_says, rule.cause)
    prior = prior_class(fields) if rule.class_ == UNDECIDED else None
    return Decision(prior[0] if prior else rule.class_, rule.cause, unchecked=tuple(open_questions))


def _support(
    hypothesis: Hypothesis, fields: Mapping[str, str], world: ConditionContext
) -> tuple[bool | None, tuple[Evidence, ...]]:
    """True: supported, by this evidence; False: something speaks against it; None: nothing decides it."""
    where = hypothesis.where
    verdict = None if where is None else holds(where, _values(where, fields, world.event))
    if verdict is False or hypothesis.when is None or (verdict is None and where is not None):
        return verdict, ()
    outcome = evaluate(hypothesis.when, world, fields)
    unknown = outcome.open or _unknown(hypothesis.when, world)
    if outcome.holds and not outcome.unchecked:
        return True, outcome.evidence
    return (None if unknown or outcome.unchecked else False), ()


def _values(where: str, fields: Mapping[str, str], event: Event | None) -> dict[str, Any]:
    placed = {} if event is None else event_values(event, fields, where)
    return {**placed, "fields": dict(fields), "event": event.kind if event is not None else ""}


def _unknown(condition: Condition, world: ConditionContext) -> bool:
    """Whether that it does not hold proves nothing: no line, fact or number about it was read."""
    if kinds_in(condition):
        return True
    parts = parts_of(condition)
    facts = any(isinstance(part, FactCondition) and world.fact(part.fact) is None for part in parts)
    return facts or any(isinstance(part, MetricCondition) and world.reading(part) is None for part in parts)
