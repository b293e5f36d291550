"""What a diagnosis is told together with: facts that a rule's `look` asks for. They may decide its class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from xenwatch.base.durations import format_size
from xenwatch.diagnosis.attribution import fill_name
from xenwatch.diagnosis.rules.expressions import computed, holds
from xenwatch.diagnosis.rules.rule import Look, Rule
from xenwatch.diagnosis.rules.templates import PLACE
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.subject import Subject, subject_from_text

Find = Callable[[str, Subject], Fact | None]


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What the facts said, what could not be asked, and the fields that were worked out."""

    evidence: tuple[Evidence, ...] = ()
    unchecked: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    decided: str | None = None
    """The class that the first deciding fact speaks for."""


def enrich(rule: Rule, subject: Subject, fields: Mapping[str, str], find: Find) -> Enrichment:
    """Each item of `look` in turn; one that needs a field which was not captured is passed over."""
    evidence: list[Evidence] = []
    unchecked: list[str] = []
    by_name = {"domain": subject.name, **fields} if subject.kind == "domain" else dict(fields)
    worked_out: dict[str, str] = {}
    decided: str | None = None
    for look in rule.look:
        about = _about(look, subject, by_name)
        if about is None:
            continue
        fact = find(look.fact, about)
        if fact is None:
            unchecked.append(f"{look.fact}{_of(look, about)} is not known here")
            continue
        values = {"value": list(fact.value) if isinstance(fact.value, tuple) else fact.value, "fields": by_name}
        if look.check is not None and not holds(look.check, values):
            continue
        decided = decided or look.decides
        found = {name: text for name, cel in look.compute.items() if (text := computed(cel, values)) is not None}
        worked_out |= found
        sentence = _filled(look.says, {**by_name, **worked_out, "value": _shown(fact)})
        evidence.append(Evidence(fact.at, f"{sentence} ({fact.origin})" if fact.origin else sentence, fact))
    return Enrichment(tuple(evidence), tuple(dict.fromkeys(unchecked)), worked_out, decided)


def _about(look: Look, subject: Subject, fields: Mapping[str, str]) -> Subject | None:
    if look.of is None:
        return subject
    named = subject_from_text(fill_name(look.of, fields) or "")
    return None if named is None else named.on(subject.host)


def _of(look: Look, about: Subject) -> str:
    return f" of {about.name}" if look.of is not None else ""


def _filled(says: str, values: Mapping[str, str]) -> str:
    def one(name: str) -> str:
        text = values.get(name, f"<{name}>")
        return format_size(int(text)) if name.endswith("_bytes") and text.isdigit() else text

    return PLACE.sub(lambda found: one(found[1]), says)


def _shown(fact: Fact) -> str:
    if isinstance(fact.value, tuple):
        return ", ".join(fact.value) or "none"
    is_size = fact.name.endswith("_bytes") and isinstance(fact.value, int | float)
    return format_size(float(fact.value)) if is_size else str(fact.value)
