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
    captures = {**outcome.fields, **fields}
    seen = enrich(rule, subject, captures, find) if rule.look else Enrichment()
    captures = {**seen.fields, **captures}
    words = TemplateFiller(rule, captures, subject)
    unknown = _is_of_unknown_kernel(outcome, subject, find)
    title = words.text(rule.unknown_kernel if unknown and rule.unknown_kernel else rule.title)
    decision = decide(rule, captures, world, seen.decided)
    return Diagnosis(
        rule=rule.id,
        class_=decision.class_,
        subject=subject,
        severity="error" if unknown and _severity(rule) == "critical" else _severity(rule),
        title=title,
        summary=outcome.evidence[-1].summary.split("\n", 1)[0] if outcome.evidence else title,
        cause=words.cause(decision.cause),
        impact=words.text(rule.impact),
        at=world.now,
        depth=rule.depth,
        verify=words.commands(rule.verify),
        remedy=words.commands(rule.remedy),
        evidence=(*outcome.evidence, *decision.evidence, *seen.evidence),
        fields=captures,
        unchecked=(*outcome.unchecked, *seen.unchecked, *decision.unchecked),
        actions=() if rule.status == "experimental" else rule.actions,
        aliases=rule.aliases,
        experimental=rule.status == "experimental",
        guest_told=any(isinstance(e.origin, LogRecord) and e.origin.guest for e in outcome.evidence),
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
