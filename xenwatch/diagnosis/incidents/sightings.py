"""What one round saw of an incident, gathered before the incident is changed: a burst is a thousand sightings."""

from dataclasses import replace

from xenwatch.diagnosis.incidents.evidence import GrowingEvidence
from xenwatch.diagnosis.incidents.gaps import filled_from
from xenwatch.diagnosis.incidents.times import is_dated, seen_span
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident


class Sightings:
    """`known` is the incident so far, None where it is new; `first` is the first diagnosis of the round."""

    def __init__(self, key: str, known: Incident | None, first: Diagnosis, rule: Rule | None, *, at_rest: bool) -> None:
        self._key, self._known, self._rule = key, known, rule
        self._decidable = rule.classes[1:] if rule is not None else ()
        words = known.diagnosis if known is not None else first
        self._words, self._guest_told = words, words.guest_told
        self._evidence = GrowingEvidence(words.evidence)
        self._at_rest, self._is_dated = at_rest, is_dated(words)
        self._span = (known.opened, known.last_seen) if known is not None else (first.at, first.at)
        self._times_seen = known.times_seen if known is not None else 1
        if known is not None:
            self.add(first)

    def add(self, diagnosis: Diagnosis) -> None:
        """One more."""
        self._words = self._decided(filled_from(*self._newer_and_older(diagnosis)), diagnosis)
        self._guest_told = self._guest_told and diagnosis.guest_told
        self._evidence.add(diagnosis.evidence)
        self._span = self._widened(diagnosis)
        self._times_seen += 1

    def incident(self) -> Incident:
        """The incident as it is now."""
        words, (opened, last_seen) = self._words, self._span
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

    def _newer_and_older(self, diagnosis: Diagnosis) -> tuple[Diagnosis, Diagnosis]:
        """The words that the incident shows, then the others: the younger first, but the host's before a guest's."""
        both = (diagnosis, self._words)
        if self._guest_told != diagnosis.guest_told:
            return both[::-1] if diagnosis.guest_told else both
        return both if diagnosis.at >= self._span[1] else both[::-1]

    def _widened(self, diagnosis: Diagnosis) -> tuple[float, float]:
        """The span with this sighting; a running host's lines are read as they are written, dated or not."""
        dated = is_dated(diagnosis) if self._at_rest else self._is_dated
        span = seen_span(self._span, diagnosis.at, known_is_dated=self._is_dated, is_dated=dated)
        self._is_dated = self._is_dated or dated
        return span

    def _decided(self, words: Diagnosis, new: Diagnosis) -> Diagnosis:
        """The words with the class that something decided: that it says so no more the next time takes nothing back."""
        if self._rule is None or not self._decidable or words.class_ != self._rule.class_:
            return words
        decided = next((one for one in (self._words, new) if one.class_ in self._decidable), words)
        if decided.class_ == words.class_ and decided.cause == words.cause:
            return words
        return replace(words, class_=decided.class_, cause=decided.cause)
