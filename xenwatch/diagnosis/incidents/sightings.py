"""What one round saw of an incident, gathered before the incident is changed: a burst is a thousand sightings."""

from collections.abc import Hashable
from dataclasses import replace

from xenwatch.diagnosis.correlation.line_memory import SeenAgain
from xenwatch.diagnosis.incidents.evidence import GrowingEvidence
from xenwatch.diagnosis.incidents.gaps import filled_from
from xenwatch.diagnosis.incidents.times import is_dated, seen_span
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident

_Step = tuple[Diagnosis, Diagnosis, Diagnosis]
"""The words before, what a line said again, and the words after it."""


class Sightings:
    """`known` is the incident so far, None where it is new; `first` is the first diagnosis of the round."""

    def __init__(
        self,
        key: str,
        known: Incident | None,
        first: Diagnosis,
        rule: Rule | None,
        own: GrowingEvidence,
        *,
        at_rest: bool,
    ) -> None:
        """`own` takes in what is seen, whatever else the incident was given as evidence."""
        self._key, self._known, self._rule, self._own = key, known, rule, own
        self._decidable = rule.classes[1:] if rule is not None else ()
        words = known.diagnosis if known is not None else first
        self._words, self._guest_told = words, words.guest_told
        self._latest: SeenAgain | None = None
        """What the words were said of last, where that is not the line that they were made for."""
        self._steps: dict[tuple[int, int, bool], _Step] = {}
        self._interned: dict[Hashable, Diagnosis] = {}
        self._own.add(first.evidence)
        alone = known is None and own.pieces == first.evidence
        self._evidence = own if alone else GrowingEvidence(words.evidence)
        self._at_rest, self._is_dated = at_rest, is_dated(words)
        self._span = (known.opened, known.last_seen) if known is not None else (first.at, first.at)
        self._times_seen = known.times_seen if known is not None else 1
        if known is not None:
            self._add(first)

    def add(self, diagnosis: Diagnosis) -> None:
        """One more."""
        self._own.add(diagnosis.evidence)
        self._add(diagnosis)

    def again(self, seen: SeenAgain) -> None:
        """One more, of a line that says what another one said: mostly there is nothing to do but to count it."""
        newer = self._is_newer(seen.known, seen.at)
        step = self._steps.get((id(self._words), id(seen.known), newer)) or self._step(seen, newer=newer)
        self._words = step[2]
        if newer:
            self._latest = seen
        self._guest_told = self._guest_told and seen.known.guest_told
        self._own.add_again(seen)
        if self._evidence is not self._own:
            self._evidence.add_again(seen)
        self._widen(seen.at, dated=seen.record.logged)
        self._times_seen += seen.event.times

    def count(self, times: int) -> None:
        """So many more, of which nobody need see anything."""
        self._times_seen += times

    def incident(self) -> Incident:
        """The incident as it is now."""
        words, (opened, last_seen) = self._spoken(), self._span
        if words.evidence is not self._evidence.pieces or words.guest_told != self._guest_told:
            words = replace(words, evidence=self._evidence.pieces, guest_told=self._guest_told)
        if self._known is None:
            return Incident(self._key, words, "open", opened, last_seen, self._times_seen)
        return replace(
            self._known,
            diagnosis=words,
            opened=opened,
            last_seen=last_seen,
            times_seen=self._times_seen,
        )

    def _add(self, diagnosis: Diagnosis) -> None:
        newer = self._is_newer(diagnosis, diagnosis.at)
        self._words, self._latest = self._told(self._spoken(), diagnosis, newer=newer), None
        self._guest_told = self._guest_told and diagnosis.guest_told
        if self._evidence is not self._own:
            self._evidence.add(diagnosis.evidence)
        self._widen(diagnosis.at, dated=is_dated(diagnosis))
        self._times_seen += 1

    def _step(self, seen: SeenAgain, *, newer: bool) -> _Step:
        """Found out once: what the words are after it hangs on them and on what it says alone."""
        before, known = self._words, seen.known
        after = self._told(before, known, newer=newer)
        if newer:  # time and line are those of the new one, whichever words of this text stand here
            after = self._interned.setdefault(_text(after), after)
        self._steps[id(before), id(known), newer] = before, known, after
        return before, known, after

    def _spoken(self) -> Diagnosis:
        """The words with the time and the line that they were said of last."""
        if self._latest is None:
            return self._words
        last = self._latest.diagnosis
        return replace(self._words, summary=last.summary, at=last.at, evidence=last.evidence)

    def _told(self, words: Diagnosis, new: Diagnosis, *, newer: bool) -> Diagnosis:
        return self._decided(filled_from(new, words) if newer else filled_from(words, new), words, new)

    def _is_newer(self, diagnosis: Diagnosis, at: float) -> bool:
        """Whether its words are shown, and the others fill them: the younger ones, but the host's before a guest's."""
        if self._guest_told != diagnosis.guest_told:
            return not diagnosis.guest_told
        return at >= self._span[1]

    def _widen(self, at: float, *, dated: bool) -> None:
        """The span with this sighting; a running host's lines are read as they are written, dated or not."""
        if not self._at_rest:
            dated = self._is_dated
        self._span = seen_span(self._span, at, known_is_dated=self._is_dated, is_dated=dated)
        self._is_dated = self._is_dated or dated

    def _decided(self, words: Diagnosis, before: Diagnosis, new: Diagnosis) -> Diagnosis:
        """The words with the class that something decided: that it says so no more the next time takes nothing back."""
        if self._rule is None or not self._decidable or words.class_ != self._rule.class_:
            return words
        decided = next((one for one in (before, new) if one.class_ in self._decidable), words)
        if decided.class_ == words.class_ and decided.cause == words.cause:
            return words
        return replace(words, class_=decided.class_, cause=decided.cause)


def _text(words: Diagnosis) -> Hashable:
    """All by which the words of two lines of one incident can differ, but for the line itself."""
    return (
        words.rule, words.class_, words.subject, words.severity, words.title, words.cause, words.impact, words.verify,
        words.remedy, tuple(words.fields.items()), words.unchecked, words.guest_told,
    )  # fmt: skip
