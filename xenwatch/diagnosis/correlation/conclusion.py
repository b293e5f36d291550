"""From conditions that hold to a diagnosis in the rule's words."""

from collections.abc import Mapping

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
    known = {**outcome.fields, **fields}
    seen = enrich(rule, subject, known, find) if rule.look else Enrichment()
    known = {**seen.fields, **known}
    words = TemplateFiller(rule, known, subject)
    decision = decide(rule, known, world, seen.decided)
    return Diagnosis(
        rule=rule.id,
        class_=decision.class_,
        subject=subject,
        severity=_severity(rule),
        title=words.text(rule.title),
        summary=outcome.evidence[-1].summary.split("\n", 1)[0] if outcome.evidence else words.text(rule.title),
        cause=words.cause(decision.cause),
        impact=words.text(rule.impact),
        at=world.now,
        depth=rule.depth,
        verify=words.commands(rule.verify),
        remedy=words.commands(rule.remedy),
        evidence=(*outcome.evidence, *decision.evidence, *seen.evidence),
        fields=known,
        unchecked=(*outcome.unchecked, *seen.unchecked, *decision.unchecked),
        actions=() if rule.status == "experimental" else rule.actions,
        aliases=rule.aliases,
        experimental=rule.status == "experimental",
        guest_told=any(isinstance(e.origin, LogRecord) and e.origin.guest for e in outcome.evidence),
    )


def _severity(rule: Rule) -> Severity:
    """An experimental rule wakes nobody."""
    return "error" if rule.status == "experimental" and rule.severity == "critical" else rule.severity
