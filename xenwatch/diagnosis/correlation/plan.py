"""A rule prepared for the engine, and the scene on which its conditions are judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xenwatch.base.last_made import LastMade
from xenwatch.diagnosis.correlation.conditions import NO_START, kinds_in, parts_of
from xenwatch.diagnosis.correlation.fact_store import FactStore
from xenwatch.diagnosis.correlation.metric_history import MetricReading
from xenwatch.diagnosis.correlation.windows import Group, Windows
from xenwatch.diagnosis.rules.rule import (
    AbsentCondition,
    AnyOf,
    Condition,
    CountCondition,
    EventCondition,
    FactCondition,
    MetricCondition,
    Rule,
    SequenceCondition,
    part_of_facts,
)
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.sample import Sample
from xenwatch.model.subject import Subject


@dataclass(slots=True)
class PreparedRule:
    """What the engine looks up often: `longest` is how long the rule remembers events, 0 where it need not."""

    rule: Rule
    kinds: frozenset[str]
    """Events of its own conditions."""
    supporting: frozenset[str]
    """Further events that only its hypotheses ask for: they decide what the rule says, never whether it speaks."""
    metrics: tuple[MetricCondition, ...]
    """Those of its own conditions, `deciding` of them, then those of its hypotheses."""
    deciding: int
    facts: frozenset[str]
    absences: tuple[AbsentCondition, ...]
    longest: float
    by_facts: Condition | None
    """What of the rule's conditions facts alone can decide."""
    by_line: bool
    """One line and facts decide all that it says: with the same facts the same words give the same diagnosis again."""
    by_numbers: bool
    """Only numbers that must last for a while decide it: when they are right again, it is over."""
    readings: dict[tuple[int, str], MetricReading] = field(default_factory=dict)
    """The last reading of each metric condition (by its place in `metrics`) and subject."""


def prepared(rules: Sequence[Rule]) -> list[PreparedRule]:
    """One for each rule that can conclude anything: quiet rules only speak to the scanner."""
    return [replace(plan, readings={}) for plan in _PLANS.of(rules)]


def _plans(rules: Sequence[Rule]) -> tuple[PreparedRule, ...]:
    return tuple(_plan(rule) for rule in rules if not rule.noise)


_PLANS = LastMade(_plans)
"""Each engine has readings of its own; all else of a plan follows from its rule."""


def counted_kinds(plans: Iterable[PreparedRule]) -> frozenset[str]:
    """Events of which no rule asks more than that they came, and how often."""
    alone, others = set[str](), set[str]()
    for plan in plans:
        (alone if plan.by_line else others).update(plan.kinds, plan.supporting)
    return frozenset(alone - others)


def _plan(rule: Rule) -> PreparedRule:
    parts, kinds = parts_of(rule.when), kinds_in(rule.when)
    asked = [part for h in rule.hypotheses if h.when is not None for part in parts_of(h.when)]
    support = frozenset[str]().union(*map(kinds_in, asked))
    spans = [p.within for p in (*parts, *asked) if isinstance(p, CountCondition | SequenceCondition | AbsentCondition)]
    alone = not support and all(isinstance(p, AnyOf | EventCondition | FactCondition) for p in parts)
    deciding = [p for p in parts if isinstance(p, MetricCondition)]
    return PreparedRule(
        rule,
        kinds,
        support - kinds,
        (*deciding, *(p for p in asked if isinstance(p, MetricCondition))),
        len(deciding),
        frozenset(n for p in parts if isinstance(p, FactCondition) for n in (p.fact, *p.further_facts)),
        tuple(p for p in parts if isinstance(p, AbsentCondition)),
        0.0 if alone else 2 * max([rule.window, *spans]),
        part_of_facts(rule.when),
        alone and not any(isinstance(p, MetricCondition) for p in asked),
        not rule.signatures and bool(deciding) and all(map(_is_lasting_number, parts)),
    )


def _is_lasting_number(part: Condition) -> bool:
    """A rate is none of them: it comes and goes, and so would the incident."""
    return isinstance(part, AnyOf) or (isinstance(part, MetricCondition) and part.hold > 0 and part.rate is None)


@dataclass(slots=True)
class RuleContext:
    """One rule, one subject, one moment; `event` is what made us ask."""

    plan: PreparedRule
    subject: Subject
    who: str
    now: float
    event: Event | None
    windows: Windows
    facts: FactStore

    @property
    def window(self) -> float:
        return self.plan.rule.window

    def events(self, *kinds: str, since: float = NO_START) -> Sequence[Event]:
        """A domain's events, and those that no log ascribed to any domain."""
        if not self.plan.longest:
            event = self.event
            return (event,) if event is not None and event.kind in kinds and event.at >= since else ()
        return self.windows.events(self._groups(), kinds, since, self.now)

    def alike(self, kind: str, by: tuple[str, ...], fields: Mapping[str, str], since: float) -> Sequence[Event]:
        values = tuple(map(fields.get, by))
        if not self.plan.longest:
            return [event for event in self.events(kind, since=since) if tuple(map(event.fields.get, by)) == values]
        return self.windows.alike(self._groups(), kind, (by, values), since, self.now)

    def _groups(self) -> Iterable[Group]:
        rule = self.plan.rule.id
        return [(rule, self.who), *([(rule, str(self.subject.its_host))] if self.subject.kind == "domain" else [])]

    def fact(self, name: str) -> Fact | None:
        return self.facts.find(name, self.subject)

    def others(self, name: str) -> list[str]:
        return self.facts.others(name, self.subject)

    def reading(self, condition: MetricCondition) -> tuple[Sample, float, float] | None:
        """The subject's own, else the host's."""
        readings = self.plan.readings
        for index, metric in enumerate(self.plan.metrics):
            if metric is condition:
                return readings.get((index, self.who)) or readings.get((index, str(self.subject.its_host)))
        return None
