"""From conditions that hold to a diagnosis in the rule's words."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from xenwatch.diagnosis.correlation.conditions import ConditionContext, Outcome
from xenwatch.diagnosis.correlation.enrichment import Enrichment, Find, enrich
from xenwatch.diagnosis.correlation.hypotheses import decide
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.rules.templates import TemplateFiller
from xenwatch.model.diagnosis import Diagnosis, Severity
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject


def conclude(
    rule: Rule, subject: Subject, outcome: Outcome, fields: Mapping[str, str], world: ConditionContext, find: Find
) -> Diagnosis:
    """`fields` are those of the event that decided; what the other conditions captured fills the gaps."""
    captures = {**outcome.fields, **fields}
    seen = enrich(rule, subject, captures, find) if rule.look else Enrichment()
    captures = {**seen.fields, **captures}
    unknown = _is_of_unknown_kernel(outcome, subject, find)
    decision = decide(rule, captures, world, seen.decided)
    title = rule.unknown_kernel if unknown and rule.unknown_kernel else rule.title
    words = _words(_OneRule(rule), tuple(captures.items()), subject, title, decision.cause)
    return Diagnosis(
        rule=rule.id,
        class_=decision.class_,
        subject=subject,
        severity="error" if unknown and _severity(rule) == "critical" else _severity(rule),
        title=words.title,
        summary=outcome.evidence[-1].summary.split("\n", 1)[0] if outcome.evidence else words.title,
        cause=words.cause,
        impact=words.impact,
        at=world.now,
        depth=rule.depth,
        verify=words.verify,
        remedy=words.remedy,
        evidence=(*outcome.evidence, *decision.evidence, *seen.evidence),
        fields=captures,
        unchecked=(*outcome.unchecked, *seen.unchecked, *decision.unchecked),
        actions=() if rule.status == "experimental" else rule.actions,
        aliases=rule.aliases,
        experimental=rule.status == "experimental",
        guest_told=any(isinstance(e.origin, LogRecord) and e.origin.guest for e in outcome.evidence),
    )


class _OneRule:
    """A rule as a key: it is the same only as itself."""

    __slots__ = ("rule",)

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __hash__(self) -> int:
        return id(self.rule)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OneRule) and other.rule is self.rule


class _Words(NamedTuple):
    """A rule's words, filled in."""

    title: str
    cause: str
    impact: str
    verify: tuple[str, ...]
    remedy: tuple[str, ...]


@lru_cache(maxsize=1024)  # a trouble says the same again and again
def _words(one: _OneRule, captures: tuple[tuple[str, str], ...], subject: Subject, title: str, cause: str) -> _Words:
    rule, filler = one.rule, TemplateFiller(one.rule, dict(captures), subject)
    return _Words(
        filler.text(title),
        filler.cause(cause),
        filler.text(rule.impact),
        filler.commands(rule.verify),
        filler.commands(rule.remedy),
    )


def _is_of_unknown_kernel(outcome: Outcome, subject: Subject, find: Find) -> bool:
    """Nothing but lines that may be any kernel's: neither they nor the host say which."""
    roles = {e.origin.kernel_role for e in outcome.evidence if isinstance(e.origin, LogRecord)}
    if roles != {"unknown"}:
        return False
    dom0 = find("xen.dom0", subject.its_host)
    return dom0 is None or not dom0.value


def _severity(rule: Rule) -> Severity:
    """An experimental rule wakes nobody."""
    return "error" if rule.status == "experimental" and rule.severity == "critical" else rule.severity
