"""Judges standing checks: rules over facts alone, at one moment, each well, found, or not to be told."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from xenwatch.diagnosis.correlation.conclusion import conclude
from xenwatch.diagnosis.correlation.conditions import Outcome, evaluate
from xenwatch.diagnosis.correlation.fact_store import FactStore
from xenwatch.diagnosis.correlation.plan import PreparedRule, RuleContext, prepared
from xenwatch.diagnosis.correlation.windows import Windows
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, Condition, FactCondition, Rule, part_of_facts
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

Verdict = Literal["found", "well", "unknown"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one host."""

    rule: Rule
    found: tuple[Diagnosis, ...] = ()
    missing: tuple[str, ...] = ()
    """The facts without which nothing can be told; none where something was found."""

    @property
    def verdict(self) -> Verdict:
        if self.found:
            return "found"
        return "unknown" if self.missing else "well"


def checks_among(rules: Iterable[Rule]) -> list[Rule]:
    """Those that facts alone can decide, each with only that part of its condition."""
    able = ((rule, part_of_facts(rule.when)) for rule in rules if not rule.noise)
    return [replace(rule, when=part, hypotheses=()) for rule, part in able if part is not None]


def judge(checks: Sequence[Rule], facts: Iterable[Fact], told: Collection[str], now: float) -> list[CheckResult]:
    """The result of every check on the host that the facts are of.

    `told`: what the names begin with of facts that were asked for and answered: one that is not there is no gap then.
    """
    return _Host(list(facts), told, now).results(checks)


class _Host:
    """What is known of one host at one moment."""

    def __init__(self, facts: list[Fact], told: Collection[str], now: float) -> None:
        self._store, self._told, self._now = FactStore(), tuple(told), now
        self._store.learn(facts)
        self._host = facts[0].subject.its_host if facts else HOST

    def results(self, checks: Sequence[Rule]) -> list[CheckResult]:
        return [self._result(plan) for plan in prepared(checks)]

    def _result(self, plan: PreparedRule) -> CheckResult:
        found: list[Diagnosis] = []
        missing: dict[str, None] = {}
        for subject in self._store.subjects(plan.rule.subject, plan.facts) or [self._host]:
            scene = RuleContext(plan, subject, str(subject), self._now, None, Windows(), self._store)
            outcome = evaluate(plan.rule.when, scene, {})
            if outcome.holds:
                found.append(conclude(plan.rule, subject, outcome, {}, scene, self._store.find))
            else:
                missing |= dict.fromkeys(self._gaps(plan.rule.when, outcome, subject))
        return CheckResult(plan.rule, tuple(found), () if found else tuple(missing))

    def _gaps(self, condition: Condition, outcome: Outcome, subject: Subject) -> list[str]:
        """The facts that may decide a condition that does not hold; none where it is false whatever they are."""
        if outcome.holds:
            return []
        match condition:
            case AllOf(parts) | AnyOf(parts):
                pairs = zip(parts, outcome.parts, strict=True)
                gaps = [(o.holds, self._gaps(part, o, subject)) for part, o in pairs]
                if isinstance(condition, AllOf) and any(not holds and not names for holds, names in gaps):
                    return []
                return [name for _, names in gaps for name in names]
            case FactCondition():
                return list(self._unknown(condition, subject))
        return []

    def _unknown(self, condition: FactCondition, subject: Subject) -> Iterator[str]:
        names = (condition.fact, *condition.further_facts)
        absent = [name for name in names if self._store.find(name, subject) is None]
        if not any(name.startswith(self._told) for name in absent):  # else it is known that there is nothing to check
            yield from absent
