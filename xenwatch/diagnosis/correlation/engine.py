"""Events, samples and facts in, diagnoses out. It has no clock: time is what it is told."""

import logging
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from xenwatch.base.slices import at_once
from xenwatch.diagnosis.attribution import subject_of
from xenwatch.diagnosis.correlation.conclusion import conclude
from xenwatch.diagnosis.correlation.conditions import Outcome, evaluate
from xenwatch.diagnosis.correlation.fact_store import FactStore
from xenwatch.diagnosis.correlation.line_memory import LineMemory, SeenAgain, Sighting
from xenwatch.diagnosis.correlation.number_rules import Judged, NumberRules, Over
from xenwatch.diagnosis.correlation.plan import PreparedRule, RuleContext, prepared
from xenwatch.diagnosis.correlation.windows import Windows
from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.hosts import Origin
from xenwatch.diagnosis.kernel_role import GUEST_ROLES
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.record import LogFormat, Source
from xenwatch.model.sample import Snapshot
from xenwatch.model.serialize import subject_from_json, subject_json
from xenwatch.model.subject import Subject

log = logging.getLogger(__name__)

MOST_DEADLINES = 20_000
MOST_MOMENTS = 8
"""Later events of a subject that a late one is judged with."""
_NO_SOURCE = Source("", LogFormat("", ""))


def subject_key(subject: Subject) -> str:
    """What correlation counts by: a domain's name, since not every log knows its uuid; with the host where it has one.

    So nothing of one host is counted, expected or known of another.
    """
    return str(subject)


class CorrelationEngine:
    """`registry` is the scanner's: it says which name a domid had. `failures` counts, by rule, what was fenced off."""

    def __init__(self, rules: Sequence[Rule], registry: DomainRegistry | None = None) -> None:
        self._registry = registry or DomainRegistry()
        self._plans = prepared(rules)
        self._by_kind: dict[str, list[PreparedRule]] = {}
        for plan in self._plans:
            for kind in plan.kinds | plan.supporting:
                self._by_kind.setdefault(kind, []).append(plan)
        self._windows, self._facts = Windows(), FactStore()
        self._numbers = NumberRules(self._plans, self._judge_numbers)
        self._lines = LineMemory()
        self._subjects: dict[tuple[int, bool, str | None], tuple[Subject, float, int, Subject]] = {}
        self._deadlines: list[tuple[float, str, str, Subject]] = []
        self._by_id = {plan.rule.id: plan for plan in self._plans}
        self.failures: Counter[str] = Counter()
        self.over: list[Over] = []
        """Rules of facts or numbers alone that no longer hold after these were read again: their subjects, and when."""

    def observe(
        self, events: Iterable[Event] = (), snapshot: Snapshot | None = None, facts: Iterable[Fact] = (), *, now: float
    ) -> list[Diagnosis]:
        """What follows from these, in the order of time. Hand in facts before or with the events they decide."""
        found = self.sightings(events, snapshot, facts, now=now)
        return [one.diagnosis if isinstance(one, SeenAgain) else one for one in found]

    def sightings(
        self, events: Iterable[Event] = (), snapshot: Snapshot | None = None, facts: Iterable[Fact] = (), *, now: float
    ) -> list[Sighting]:
        """The same; what a line says again is not put in words again."""
        found: list[Sighting] = []
        self.over.clear()
        self._subjects.clear()
        learnt = list(facts)
        if learnt:
            self._facts.learn(learnt)
            self._lines.forget()
        for event in sorted(events, key=lambda e: e.at):
            found += self._event(event)
        if learnt:
            found += self._fact_rules(learnt, now)
        if snapshot is not None:
            judged = at_once(self._numbers.take(snapshot))
            found += judged.found
            self.over += judged.over
        found += self.tick(now)
        return found

    def snapshot_in_slices(self, snapshot: Snapshot) -> Generator[None, None, Judged]:
        """What follows from a snapshot; between two slices lines and facts may be taken in."""
        judged = yield from self._numbers.take(snapshot)
        judged.found.extend(self.tick(snapshot.at))
        return judged

    def tick(self, now: float) -> list[Diagnosis]:
        """What follows from the mere passing of time: something that was expected has not come."""
        found: list[Diagnosis] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, rule_id, _, subject = heappop(self._deadlines)
            plan = self._by_id.get(rule_id)
            if plan is not None:
                found += self._judge(plan, subject, deadline, {})
        return found

    def forget_facts(self, before: float) -> None:
        """On a running host: what was not seen again since then may be gone."""
        self._facts.forget(before)
        self._lines.forget()

    def outcome(self, rule_id: str, subject: Subject, now: float, event: Event | None = None) -> Outcome:
        """How the rule's conditions stand for the subject, or stood at the event, for `rules explain`."""
        plan = self._by_id[rule_id]
        return evaluate(plan.rule.when, self._scene(plan, subject, now, event), event.fields if event else {})

    def state(self) -> dict[str, Any]:
        """JSON-able: windows, facts and deadlines. Histories of samples start over, as the counters do."""
        deadlines = [[at, rule, subject_json(s)] for at, rule, _, s in self._deadlines]
        return {"windows": self._windows.state(), "facts": self._facts.state(), "deadlines": deadlines}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; raises KeyError, TypeError or ValueError where it is not one."""
        self._windows.restore(state["windows"])
        self._facts.restore(state["facts"])
        self._lines.forget()
        self._deadlines = []
        for at, rule, subject in state["deadlines"]:
            self._expect(float(at), str(rule), subject_from_json(subject))

    def _event(self, event: Event) -> list[Sighting]:
        found: list[Sighting] = []
        for plan in self._by_kind.get(event.kind, ()):
            subject = self._known_subject(plan.rule, event)
            if plan.longest:
                self._windows.add((plan.rule.id, subject_key(subject)), event, plan.longest)
            for absent in plan.absences:
                if absent.after == event.kind:
                    self._expect(event.at + absent.within, plan.rule.id, subject)
            found += self._judge_event(plan, subject, event)
        return found

    def _judge_event(self, plan: PreparedRule, subject: Subject, event: Event) -> list[Sighting]:
        """Also at the moments of later events: of two logs of one host, the second is read after the first."""
        if plan.by_line:
            return self._lines.judge(plan.rule.id, subject, event, lambda: self._judge_line(plan, subject, event))
        later = self._windows.moments((plan.rule.id, subject_key(subject)), event.at, MOST_MOMENTS)
        fields = {} if event.kind in plan.supporting else event.fields
        for moment in [event.at, *later]:
            found = self._judge(plan, subject, moment, fields, event)
            if found:
                return [*found]
        return []

    def _judge_line(self, plan: PreparedRule, subject: Subject, event: Event) -> tuple[list[Diagnosis], bool]:
        """What the rule says of the line, and whether it was judged without failing."""
        failed = self.failures[plan.rule.id]
        found = self._judge(plan, subject, event.at, event.fields, event)
        return found, self.failures[plan.rule.id] == failed

    def _known_subject(self, rule: Rule, event: Event) -> Subject:
        """As `_subject`; the same of the same moment is asked for once, as long as nothing more was learnt."""
        subject = event.subject
        if event.rule != rule.id or event.record is None:
            return self._subject(rule, event)
        key = (id(subject), event.record.guest, event.record.kernel_role)
        changes = self._registry.changes(subject.host)
        known = self._subjects.get(key)
        if known is not None and known[0] is subject and known[1] == event.at and known[2] == changes:
            return known[3]
        found = self._subject(rule, event)
        self._subjects[key] = subject, event.at, self._registry.changes(subject.host), found
        return found

    def _subject(self, rule: Rule, event: Event) -> Subject:
        subject = event.subject
        if event.record is not None and event.record.guest:  # about that guest, whatever the rule is about
            return self._registry.named(subject, event.at)
        if event.rule != rule.id and subject.kind != rule.subject:
            record, text = event.record, event.record.text if event.record else ""
            source = record.source if record else _NO_SOURCE
            subject = subject_of(rule.subject, rule.subject_name, event.fields, {}, text, source).on(subject.host)
        if not subject.is_named and event.record is not None and event.record.kernel_role in GUEST_ROLES:
            return subject  # a guest's kernel says it, and nobody says which guest's
        subject = self._registry.complete(subject, event.at)
        if subject.kind == "domain" and subject.domid is not None:
            naming = {"domain": subject.name, "domid": str(subject.domid)}
            self._registry.learn(naming, event.at, Origin(subject.host))
        if subject.kind == "domain" and subject.is_named and not subject.name.isdigit():
            self._registry.notice(subject, event.at)
        return subject.its_host if not subject.is_named else subject

    def _fact_rules(self, facts: Sequence[Fact], now: float) -> list[Diagnosis]:
        """Every subject of a rule is judged when one of its facts was learnt: a host's fact concerns all guests."""
        names = {fact.name for fact in facts}
        found: list[Diagnosis] = []
        for plan in self._plans:
            if plan.by_facts is not None and plan.facts & names:
                for subject in self._fact_subjects(plan, facts):
                    found += self._judge(plan, subject, now, {}, by_facts=True)
        return found

    def _fact_subjects(self, plan: PreparedRule, facts: Iterable[Fact]) -> list[Subject]:
        """Those that have one of the rule's facts; the host itself where a host has none of the kind."""
        subjects = self._facts.subjects(plan.rule.subject, plan.facts)
        hosts = {fact.subject.its_host for fact in facts if fact.name in plan.facts}
        return [*subjects, *sorted(hosts - {subject.its_host for subject in subjects}, key=subject_key)]

    def _judge_numbers(self, plan: PreparedRule, subject: Subject, at: float, over: list[Over]) -> list[Diagnosis]:
        return self._judge(plan, subject, at, {}, over=over if plan.by_numbers else None)

    def _judge(
        self,
        plan: PreparedRule,
        subject: Subject,
        now: float,
        fields: Mapping[str, str],
        event: Event | None = None,
        *,
        by_facts: bool = False,
        over: list[Over] | None = None,
    ) -> list[Diagnosis]:
        """`over`: all that decides the rule was read just now, so that where it does not hold, that is noted there."""
        condition = plan.by_facts if by_facts and plan.by_facts is not None else plan.rule.when
        try:
            scene = self._scene(plan, subject, now, event)
            outcome = evaluate(condition, scene, fields)
            if outcome.holds:
                return [conclude(plan.rule, subject, outcome, fields, scene, self._facts.find)]
        except Exception:  # the fence around one rule: the others go on
            self.failures[plan.rule.id] += 1
            log.exception("rule %s failed on %s", plan.rule.id, subject)
            return []
        if by_facts and condition == plan.rule.when:
            over = self.over
        if over is not None and not outcome.open:
            over.append((plan.rule.id, subject, now))
        return []

    def _scene(self, plan: PreparedRule, subject: Subject, now: float, event: Event | None = None) -> RuleContext:
        return RuleContext(plan, subject, subject_key(subject), now, event, self._windows, self._facts)

    def _expect(self, deadline: float, rule: str, subject: Subject) -> None:
        heappush(self._deadlines, (deadline, rule, subject_key(subject), subject))
        if len(self._deadlines) > MOST_DEADLINES:
            self.failures["deadlines"] += 1
            heappop(self._deadlines)
