"""Diagnoses over time: the same trouble is one incident, a symptom belongs to its cause, what is over is resolved."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from xenwatch.base.errors import XenwatchError
from xenwatch.diagnosis.correlation.line_memory import SeenAgain, Sighting
from xenwatch.diagnosis.incidents.bonds import NameOf
from xenwatch.diagnosis.incidents.causes import causes_of, compared
from xenwatch.diagnosis.incidents.evidence import GrowingEvidence, merged_evidence
from xenwatch.diagnosis.incidents.ranking import ranked
from xenwatch.diagnosis.incidents.relations import Relations
from xenwatch.diagnosis.incidents.remarks import with_remark, without_late_acknowledgement
from xenwatch.diagnosis.incidents.sightings import Sightings
from xenwatch.diagnosis.rules.aliases import present_ids
from xenwatch.diagnosis.rules.rule import Resolve, Rule
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.event import Event
from xenwatch.model.incident import MOVES, Incident, Remark, State
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

DoneSince = Callable[[Evidence, Subject, float], bool]

MOST_INCIDENTS = 5_000

_AT_ONCE, _NEVER = float("-inf"), float("inf")


def _never(_evidence: Evidence, _subject: Subject, _at: float) -> bool:
    return False


@lru_cache(maxsize=4096)
def incident_id(rule: str, subject: str) -> str:
    """Of the rule and its subject: the same after a restart, and when it comes back."""
    return hashlib.sha256(f"{rule}\0{subject}".encode()).hexdigest()[:12]


class IncidentTracker:
    """`known` are those of the state; `at_rest`: nothing more is written, so undated lines may belong anywhere."""

    def __init__(
        self,
        rules: Sequence[Rule],
        known: Iterable[Incident] = (),
        *,
        at_rest: bool = False,
        name_of: NameOf | None = None,
        done_since: DoneSince = _never,
    ) -> None:
        """`done_since` says whether what a piece of evidence speaks of was done again after a moment, with success."""
        self._done_since = done_since
        self._rules = {rule.id: rule for rule in rules}
        self._present = present_ids(rules)
        self._kept_under: dict[str, str] = {}
        """Ids of incidents that began under a former id of their rule, by what their id would be now."""
        self._relations = Relations(self._rules, undated_is_near=at_rest, name_of=name_of)
        self._at_rest = at_rest
        self._all: dict[str, Incident] = {}
        self._own: dict[str, GrowingEvidence] = {}
        self._of_operations: set[str] = set()
        """Incidents that may be over when something succeeds: all that the logs say of them belongs to an operation."""
        self._quiet_from = _AT_ONCE
        """The first moment at which one that is not over may have been quiet for long enough."""
        self._enders: dict[str, set[str]] = {}
        for rule in rules:
            for kind in rule.resolve.on:
                self._enders.setdefault(kind, set()).add(rule.id)
        self.pushed_out = 0
        """Incidents that were not over and ended because there were too many."""
        self.restore(known)

    def apply(
        self,
        diagnoses: Iterable[Sighting],
        now: float,
        events: Iterable[Event] = (),
        over: Iterable[tuple[str, Subject, float]] = (),
    ) -> list[Incident]:
        """Take in what was concluded, and what may end a trouble: events, and facts that no longer satisfy a rule.

        Returns the incidents that changed.
        """
        before = dict(self._all)
        self._see(sorted(diagnoses, key=lambda d: d.at))
        for event in events:
            self._end(event)
        if not self._at_rest:
            self._end_by_facts(over)
            self._end_by_success(now)
        if self._all != before:
            self._explain()
        if not self._at_rest:  # logs at rest are read one after the other: nothing is over because another is younger
            self._quieten(now)
            late = [i for i in self._all.values() if i.acknowledged_until is not None]
            self._all |= {i.id: without_late_acknowledgement(i, now) for i in late}
        pushed_out = self._forget(now)
        return [incident for key, incident in self._all.items() if before.get(key) != incident] + pushed_out

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Go on from the incidents of the journal."""
        self._all = {incident.id: self._presently(incident) for incident in incidents}
        self._own.clear()
        self._of_operations = {i.id for i in self._all.values() if _of_operations(i.diagnosis.evidence)}
        self._quiet_from = _AT_ONCE
        self._kept_under = {}
        for incident in self._all.values():
            now = incident_id(incident.diagnosis.rule, str(incident.diagnosis.subject))
            if now != incident.id and now not in self._all:
                self._kept_under[now] = incident.id

    def _presently(self, incident: Incident) -> Incident:
        """The incident under the present id of its rule; its own id stays, for whoever holds it."""
        present = self._present.get(incident.diagnosis.rule)
        if present is None or present not in self._rules:
            return incident
        aliases = self._rules[present].aliases
        return replace(incident, diagnosis=replace(incident.diagnosis, rule=present, aliases=aliases))

    def _key(self, rule: str, subject: str) -> str:
        key = incident_id(rule, subject)
        return self._kept_under.get(key, key)

    def get(self, key: str) -> Incident | None:
        """The incident with this id."""
        return self._all.get(key)

    def all(self) -> list[Incident]:
        """Every incident, the most likely root cause first."""
        return ranked(self._all.values())

    def remark(self, key: str, remark: Remark) -> Incident | None:
        """A person says or does something about it; None where there is no such incident.

        One that is closed by hand opens again when the trouble is seen again.
        """
        incident = self._all.get(key)
        if incident is None:
            return None
        if remark.what == "closed" and incident.state != "resolved":
            incident = _resolved(incident, remark.at)
        self._all[key] = with_remark(incident, remark)
        return self._all[key]

    def _see(self, diagnoses: Iterable[Sighting]) -> None:
        seen: dict[str, Sightings] = {}
        by_conclusion: dict[int, Sightings] = {}
        """Those that were told of a line before, by that conclusion: most lines only say the same again."""
        for one in diagnoses:
            if isinstance(one, SeenAgain):
                sightings = by_conclusion.get(id(one.known))
                if sightings is not None:
                    sightings.again(one)
                    continue
            diagnosis = one.diagnosis if isinstance(one, SeenAgain) else one
            key = self._key(diagnosis.rule, str(diagnosis.subject))
            if key in seen:
                seen[key].add(diagnosis)
            else:
                seen[key] = self._first_sighting(key, diagnosis)
            if isinstance(one, SeenAgain):
                by_conclusion[id(one.known)] = seen[key]
                seen[key].count(one.event.times - 1)
        for key, sightings in seen.items():
            incident = self._all[key] = sightings.incident()
            self._quiet_from = min(self._quiet_from, incident.last_seen + self._quiet_for(incident))
            if _of_operations(self._seen_of(incident)):
                self._of_operations.add(key)
            else:
                self._of_operations.discard(key)

    def _first_sighting(self, key: str, diagnosis: Diagnosis) -> Sightings:
        incident, own = self._all.get(key), self._own.setdefault(key, GrowingEvidence())
        if incident is not None and incident.state == "resolved":
            incident = _moved(replace(incident, resolved=None), "open")
        rule = self._rules.get(diagnosis.rule)
        return Sightings(key, incident, diagnosis, rule, own, at_rest=self._at_rest)

    def _end(self, event: Event) -> None:
        for rule in self._enders.get(event.kind, ()):
            incident = self._all.get(self._key(rule, str(event.subject)))
            if incident is not None and _by_guest(event) and not incident.diagnosis.guest_told:
                continue  # what the host saw is not over because the guest says so
            if incident is not None and incident.state != "resolved" and event.at >= incident.last_seen:
                self._all[incident.id] = _resolved(incident, event.at)

    def _end_by_facts(self, over: Iterable[tuple[str, Subject, float]]) -> None:
        for rule, subject, at in over:
            incident = self._all.get(incident_id(rule, str(subject)))
            if incident is not None and incident.state != "resolved" and at >= incident.last_seen:
                self._all[incident.id] = _resolved(incident, at)

    def _end_by_success(self, now: float) -> None:
        """What a failed operation left in the logs is over when the same was done to the same guest and succeeded."""
        for incident in [self._all[key] for key in self._of_operations]:
            if incident.state == "resolved":
                continue
            said = [piece for piece in self._seen_of(incident) if isinstance(piece.origin, LogRecord)]
            subject, at = incident.diagnosis.subject, incident.last_seen
            if all(self._done_since(piece, subject, at) for piece in said):
                self._all[incident.id] = _resolved(incident, now)

    def _quieten(self, now: float) -> None:
        if now < self._quiet_from:
            return
        self._quiet_from = _NEVER
        for incident in [i for i in self._all.values() if i.state != "resolved"]:
            until = incident.last_seen + self._quiet_for(incident)
            if now >= until:
                self._all[incident.id] = _resolved(incident, until)
            else:
                self._quiet_from = min(self._quiet_from, until)

    def _quiet_for(self, incident: Incident) -> float:
        rule = self._rules.get(incident.diagnosis.rule)
        return (rule.resolve if rule else Resolve()).quiet_for

    def _explain(self) -> None:
        """Decide again which of the incidents that are not over belongs to which."""
        active = compared(self._all.values())
        roots = causes_of(active, self._rules, self._relations)
        for incident in active:
            root = roots.get(incident.id)
            if root is not None and root != incident.id:
                explained = incident if incident.state == "explained" else _moved(incident, "explained")
                self._all[incident.id] = replace(explained, explained_by=root)
            elif incident.state == "explained" and not self._still_explained(incident):
                self._all[incident.id] = replace(_moved(incident, "open"), explained_by=None)
        self._gather(set(roots.values()), roots)

    def _still_explained(self, incident: Incident) -> bool:
        """Its cause is over, and it has not been seen since."""
        cause = self._all.get(incident.explained_by or "")
        return cause is not None and cause.resolved is not None and incident.last_seen <= cause.resolved

    def _gather(self, roots: set[str], explained: dict[str, str]) -> None:
        """A cause's evidence: its own lines, then those of what it explains; no guest's words for the host."""
        for root in roots:
            incident = self._all[root]
            evidence = self._seen_of(incident)
            for key, cause in explained.items():
                if (
                    cause == root
                    and key != root
                    and self._all[key].diagnosis.guest_told <= incident.diagnosis.guest_told
                ):
                    evidence = merged_evidence(evidence, self._seen_of(self._all[key]))
            if evidence != incident.diagnosis.evidence:
                self._all[root] = replace(incident, diagnosis=replace(incident.diagnosis, evidence=evidence))

    def _seen_of(self, incident: Incident) -> tuple[Evidence, ...]:
        """Its own evidence, without what it was given of others."""
        own = self._own.get(incident.id)
        return incident.diagnosis.evidence if own is None else own.pieces

    def _forget(self, now: float) -> list[Incident]:
        """Drop the incidents that are too many. Nobody would end the ones that are not over: they end now."""
        surplus = max(0, len(self._all) - MOST_INCIDENTS)
        order = sorted(self._all.values(), key=lambda i: (i.state != "resolved", i.last_seen)) if surplus else []
        for incident in order[:surplus]:
            del self._all[incident.id]
            self._own.pop(incident.id, None)
            self._of_operations.discard(incident.id)
        ended = [_resolved(incident, now) for incident in order[:surplus] if incident.state != "resolved"]
        self.pushed_out += len(ended)
        return ended


def _of_operations(evidence: Iterable[Evidence]) -> bool:
    said = [piece for piece in evidence if isinstance(piece.origin, LogRecord)]
    return bool(said) and all(piece.operation is not None for piece in said)


def _by_guest(event: Event) -> bool:
    return event.record is not None and event.record.guest


def _moved(incident: Incident, state: State) -> Incident:
    if state not in MOVES[incident.state]:
        raise XenwatchError(f"incident {incident.id} cannot move from {incident.state} to {state}")
    return replace(incident, state=state)


def _resolved(incident: Incident, at: float) -> Incident:
    return replace(_moved(incident, "resolved"), resolved=at)
