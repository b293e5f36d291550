"""Which incident belongs to which: for each that another one explains, the cause at the end of the chain."""

from collections.abc import Iterable, Mapping, Sequence

from xenwatch.diagnosis.incidents.neighbours import Neighbours
from xenwatch.diagnosis.incidents.relations import Relations
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import DEPTHS, SEVERITIES
from xenwatch.model.incident import Incident

MOST_RELATED = 400
"""Incidents, the last seen ones, that are compared with each other."""


def compared(incidents: Iterable[Incident]) -> list[Incident]:
    """Those last seen; what guests may have written, however much it is, takes no place from what the host says."""
    active = sorted((i for i in incidents if i.state != "resolved"), key=lambda i: i.last_seen)
    of_guests = [i for i in active if i.diagnosis.guest_told][-MOST_RELATED:]
    return [i for i in active if not i.diagnosis.guest_told][-MOST_RELATED:] + of_guests


def causes_of(active: Sequence[Incident], rules: Mapping[str, Rule], relations: Relations) -> dict[str, str]:
    """Ids of the causes, by the ids of what they explain."""
    relations.start(active)
    around = Neighbours(active, rules, relations.bonds)
    parents = {i.id: p for i in active if (p := _parent(i, around, relations)) is not None}
    return {key: _root(key, parents) for key in parents}


def _parent(symptom: Incident, around: Neighbours, relations: Relations) -> str | None:
    """The surest explanation of what was seen last; of those the deepest, then the nearest in time."""
    best: tuple[tuple[float, ...], str] | None = None
    for cause in around.may_explain(symptom):
        sure = relations.sureness(cause, symptom)
        if sure:
            depth = -DEPTHS.index(cause.diagnosis.depth)
            score = (
                relations.nearness(cause, symptom),
                sure,
                depth,
                -abs(cause.opened - symptom.opened),
                SEVERITIES.index(cause.diagnosis.severity),
            )
            best = max(best, (score, cause.id)) if best else (score, cause.id)
    return best[1] if best else None


def _root(key: str, parents: dict[str, str]) -> str:
    """The end of the chain; of a circle, its least id, so that one of them stands for all."""
    seen: list[str] = []
    while key in parents:
        if key in seen:
            return min(seen[seen.index(key) :])
        seen.append(key)
        key = parents[key]
    return key
