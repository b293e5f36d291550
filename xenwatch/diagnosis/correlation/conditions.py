"""Whether the conditions of a rule hold for a subject at a moment, what speaks for it, and in words why not."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from xenwatch.base.durations import format_duration, format_size
from xenwatch.diagnosis.operations.placement import story_of
from xenwatch.diagnosis.rules.expressions import computed, holds, number_holds
from xenwatch.diagnosis.rules.line_values import event_values
from xenwatch.diagnosis.rules.rule import (
    AbsentCondition,
    AllOf,
    AnyOf,
    Condition,
    CountCondition,
    EventCondition,
    FactCondition,
    MetricCondition,
    SequenceCondition,
)
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.sample import Sample
from xenwatch.model.subject import Subject

LONGEST_SUMMARY = 400
NO_START = float("-inf")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why` says in words what was found, for `rules explain`; `parts` are the outcomes of conditions inside."""

    holds: bool
    why: str
    evidence: tuple[Evidence, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    parts: tuple["Outcome", ...] = ()
    open: bool = False
    """It does not hold only because a fact is not known: nothing says that it is false."""


class ConditionContext(Protocol):
    """What a condition may ask about: one rule, one subject, one moment."""

    @property
    def now(self) -> float:
        """The moment, seconds since the epoch."""

    @property
    def event(self) -> Event | None:
        """What made us ask; None where time, a sample or a fact did."""

    @property
    def window(self) -> float:
        """How far apart the rule's events may lie, in seconds."""

    def events(self, *kinds: str, since: float = NO_START) -> Sequence[Event]:
        """Those of the subject from `since` to now, oldest first."""

    @property
    def subject(self) -> Subject:
        """Who is judged."""

    def fact(self, name: str) -> Fact | None:
        """The subject's own, else the host's."""

    def others(self, name: str) -> list[str]:
        """Names of the other subjects of this kind that share this value of the fact, or one element of it."""

    def reading(self, condition: MetricCondition) -> tuple[Sample, float, float] | None:
        """The subject's sample, the value to check, and since when `check` has held for it (now: it does not)."""


def evaluate(condition: Condition, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    """The outcome for `world`; `fields` are those captured by the event that made us ask."""
    return _JUDGES[type(condition)](condition, world, fields)


def kinds_in(condition: Condition) -> frozenset[str]:
    """Names of all events in a condition."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return frozenset().union(*map(kinds_in, parts))
        case EventCondition(event=event) | CountCondition(event=event):
            return frozenset({event})
        case SequenceCondition(events=events):
            return frozenset(events)
        case AbsentCondition(after=after, expect=expect):
            return frozenset({after, expect})
    return frozenset()


def parts_of(condition: Condition) -> list[Condition]:
    """The condition and everything inside it."""
    inner = condition.parts if isinstance(condition, AllOf | AnyOf) else ()
    return [condition, *(deeper for part in inner for deeper in parts_of(part))]


def event_evidence(event: Event) -> Evidence:
    """An event as a line of evidence."""
    text = event.record.text.strip() if event.record else event.kind
    short = text if len(text) <= LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 1]}…"
    return Evidence(event.at, short, event.record, event.operation, event.phase)


def _all(condition: AllOf, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    parts: list[Outcome] = []
    captures = dict(fields)
    for part in condition.parts:
        if isinstance(part, FactCondition) and any(not o.holds and not o.open for o in parts):
            outcome = Outcome(False, f"{part.fact} was not asked")  # hundreds of guests are judged every minute
        else:
            outcome = evaluate(part, world, captures)
        parts.append(outcome)
        captures = {**outcome.fields, **captures}
    held = sum(part.holds for part in parts)
    left_open = held < len(parts) and all(part.holds or part.open for part in parts)
    return _joined(held == len(parts), f"{held} of {len(parts)} hold", parts, parts, captures, left_open=left_open)


def _any(condition: AnyOf, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    parts = [evaluate(part, world, fields) for part in condition.parts]
    held = [part for part in parts if part.holds]
    captures = dict(fields)
    for part in held:
        captures = {**part.fields, **captures}
    left_open = not held and any(part.open for part in parts)
    why = f"{len(held)} of {len(parts)} hold, one is enough"
    return _joined(bool(held), why, parts, held, captures, left_open=left_open)


def _joined(
    ok: bool, why: str, parts: list[Outcome], counted: list[Outcome], fields: dict[str, str], *, left_open: bool
) -> Outcome:
    evidence = tuple(dict.fromkeys(e for part in counted for e in part.evidence))
    unchecked = tuple(dict.fromkeys(u for part in counted for u in part.unchecked))
    return Outcome(ok, why, evidence, fields, unchecked, tuple(parts), left_open)


def _event(condition: EventCondition, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    came, where = world.events(condition.event, since=world.now - world.window), condition.where
    fit = next((e for e in reversed(came) if where is None or holds(where, event_values(e, fields, where))), None)
    if fit is not None:
        return Outcome(True, f"{condition.event} came", (event_evidence(fit),), fit.fields)
    if came:
        return Outcome(False, f"{condition.event} came, but not with {condition.where}")
    return Outcome(False, f"{condition.event} did not come within {format_duration(world.window)}")


def _count(condition: CountCondition, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    came = world.events(condition.event, since=world.now - condition.within)
    if condition.by:
        came = [e for e in came if all(e.fields.get(name) == fields.get(name) for name in condition.by)]
    within = format_duration(condition.within)
    why = f"{condition.event} came {len(came)} times within {within}; {condition.at_least} are needed"
    if len(came) < condition.at_least:
        return Outcome(False, why)
    return Outcome(True, why, tuple(map(event_evidence, came[-condition.at_least :])), came[-1].fields)


def _sequence(condition: SequenceCondition, world: ConditionContext, _fields: Mapping[str, str]) -> Outcome:
    """Looked for backwards from the last one, so that the tightest run is found."""
    came = world.events(*condition.events, since=world.now - condition.within)
    wanted, run = list(condition.events), list[Event]()
    for event in reversed(came):
        if wanted and event.kind == wanted[-1] and (not run or _told_together(event, run[0])):
            run.append(event)
            wanted.pop()
    if wanted:
        return Outcome(False, f"{wanted[-1]} did not come before the rest within {format_duration(condition.within)}")
    run.reverse()
    fields = {name: value for event in run for name, value in event.fields.items()}
    return Outcome(True, f"{' then '.join(condition.events)} came", tuple(map(event_evidence, run)), fields)


def _told_together(one: Event, other: Event) -> bool:
    """Whether two events may be steps of one story: of one operation, or of what one log or one command tells."""
    if one.operation is not None and other.operation is not None:
        return one.operation == other.operation
    records = (one.record, other.record)
    return None in records or len({story_of(record) for record in records if record is not None}) == 1


def _absent(condition: AbsentCondition, world: ConditionContext, _fields: Mapping[str, str]) -> Outcome:
    within = format_duration(condition.within)
    starts = [e for e in world.events(condition.after) if e.at <= world.now - condition.within]
    ends = [end.at for end in world.events(condition.expect)]
    for start in reversed(starts):
        next_end = bisect_left(ends, start.at)
        if next_end == len(ends) or ends[next_end] > start.at + condition.within:
            why = f"{condition.expect} did not follow {condition.after} within {within}"
            return Outcome(True, why, (event_evidence(start),), start.fields)
    if starts:
        return Outcome(False, f"{condition.expect} followed {condition.after}")
    return Outcome(False, f"{condition.after} has not come, or less than {within} ago")


def _metric(condition: MetricCondition, world: ConditionContext, _fields: Mapping[str, str]) -> Outcome:
    found = world.reading(condition)
    if found is None:
        return Outcome(False, f"{condition.metric} is not known here")
    sample, value, since = found
    labels = dict(zip(sample.metric.labels, sample.labels, strict=False))
    if not number_holds(condition.check, value, labels):
        return Outcome(False, f"{condition.metric} is {value:g}, which does not satisfy {condition.check}")
    lasted = world.now - since
    why = f"{condition.metric} is {value:g}: {condition.check} has held for {format_duration(lasted)}"
    if lasted < condition.hold:
        return Outcome(False, f"{why}, and must for {format_duration(condition.hold)}")
    return Outcome(True, why, (Evidence(world.now, why, sample),), {**labels, "value": f"{value:g}"})


def _fact(condition: FactCondition, world: ConditionContext, fields: Mapping[str, str]) -> Outcome:
    names = (*condition.further_facts, condition.fact)
    facts = {name: fact for name in names if (fact := world.fact(name)) is not None}
    missing = [name for name in names if name not in facts]
    values = {} if missing else _fact_values(condition, world, fields, facts)
    verdict = None if missing else holds(condition.check, values)
    if verdict is None:
        reason = f"{missing[-1]} is not known here" if missing else f"{names[-1]} cannot be checked: {condition.check}"
        return Outcome(
            condition.missing_holds,
            reason,
            unchecked=(reason,) if condition.missing_holds else (),
            open=not condition.missing_holds,
        )
    fact = facts[condition.fact]
    why = f"{condition.fact} is {_shown(fact.value)}: {condition.check} is {'true' if verdict else 'false'}"
    if not verdict:
        return Outcome(False, why)
    found = {name: text for name, cel in condition.compute.items() if (text := computed(cel, values)) is not None}
    return Outcome(True, why, tuple(_fact_evidence(facts[name]) for name in names), found)


def _fact_values(
    condition: FactCondition, world: ConditionContext, fields: Mapping[str, str], facts: Mapping[str, Fact]
) -> dict[str, Any]:
    return {
        "value": _cel(facts[condition.fact].value),
        "fields": dict(fields),
        "subject": {"kind": world.subject.kind, "name": world.subject.name},
        "facts": {name: _cel(fact.value) for name, fact in facts.items()},
        "others": world.others(condition.fact) if condition.compares else [],
    }


def _fact_evidence(fact: Fact) -> Evidence:
    origin = f" ({fact.origin})" if fact.origin else ""
    is_size = fact.name.endswith("_bytes") and isinstance(fact.value, int | float)
    shown = format_size(float(fact.value)) if is_size else _shown(fact.value)  # type: ignore[arg-type]
    short = shown if len(shown) <= LONGEST_SUMMARY else f"{shown[: LONGEST_SUMMARY - 1]}…"
    return Evidence(fact.at, f"{fact.name} is {short}{origin}", fact)


def _cel(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    return ", ".join(value) or "nothing" if isinstance(value, tuple) else str(value) or "empty"


_JUDGES: dict[type, Callable[[Any, ConditionContext, Mapping[str, str]], Outcome]] = {
    AllOf: _all,
    AnyOf: _any,
    EventCondition: _event,
    CountCondition: _count,
    SequenceCondition: _sequence,
    AbsentCondition: _absent,
    MetricCondition: _metric,
    FactCondition: _fact,
}
