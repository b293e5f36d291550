"""The rules of numbers on a snapshot, in slices: a thousand guests are judged and nobody waits for all of them."""

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from xenwatch.diagnosis.correlation.metric_history import MetricHistory, MetricReading, sample_subject
from xenwatch.diagnosis.correlation.plan import PreparedRule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.sample import Snapshot
from xenwatch.model.subject import Subject

SLICE = 100
"""Readings or subjects between two pauses: about a millisecond."""

Over = tuple[str, Subject, float]
"""A rule that no longer holds for a subject since its numbers were read again, and when that was."""


class Judged(NamedTuple):
    """What follows from a snapshot."""

    found: list[Diagnosis]
    over: list[Over]


class NumberRules:
    """`judge` says of one rule and one subject what follows at a moment, and notes in a list what is over."""

    def __init__(
        self,
        plans: Sequence[PreparedRule],
        judge: Callable[[PreparedRule, Subject, float, list[Over]], list[Diagnosis]],
    ) -> None:
        self._plans = [plan for plan in plans if plan.metrics]
        self._places = [(plan, place) for plan in self._plans for place in range(len(plan.metrics))]
        self._history, self._judge = MetricHistory(), judge

    def take(self, snapshot: Snapshot) -> Generator[None, None, Judged]:
        """Pauses now and then. Until the last number is read, the rules see those of the snapshot before."""
        asked = yield from self._read(snapshot)
        judged = Judged([], [])
        for number, (plan, subject) in enumerate(asked.values()):
            if number % SLICE == 0:
                yield
            judged.found.extend(self._judge(plan, subject, snapshot.at, judged.over))
        return judged

    def _read(self, snapshot: Snapshot) -> Generator[None, None, dict[tuple[str, str], tuple[PreparedRule, Subject]]]:
        """Who is to be judged by which rule."""
        conditions = [plan.metrics[place] for plan, place in self._places]
        taken = yield from self._history.slices(conditions, snapshot, SLICE)
        asked: dict[tuple[str, str], tuple[PreparedRule, Subject]] = {}
        fresh: dict[str, dict[tuple[int, str], MetricReading]] = {plan.rule.id: {} for plan in self._plans}
        number = 0
        for index, (plan, place) in enumerate(self._places):
            readings = fresh[plan.rule.id]
            for reading in taken[index]:
                number += 1
                if number % SLICE == 0:
                    yield
                subject = sample_subject(reading.sample, plan.rule).on(snapshot.host)
                who = str(subject)
                kept = readings.get((place, who))
                if kept is None or reading.since < kept.since:
                    readings[place, who] = reading
                if place < plan.deciding:
                    asked[plan.rule.id, who] = (plan, subject)
        for plan in self._plans:
            plan.readings = fresh[plan.rule.id]
        return asked
