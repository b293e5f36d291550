"""What one round saw of an incident, gathered before the incident is written anew: a burst is a thousand sightings."""

from dataclasses import replace

from xenwatch.diagnosis.incidents.evidence import GrowingEvidence
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident


class Sightings:
    """`known` is the incident so far, None where it is new; `first` is the first diagnosis of the round."""

    def __init__(self, key: str, known: Incident | None, first: Diagnosis, rule: Rule | None) -> None:
        self._key, self._known, self._rule = key, known, rule
        self._decidable = rule.classes[1:] if rule is not None else ()
        words = known.diagnosis if known is not None else first
        self._words, self._guest_told = words, words.guest_told
        self._evidence = GrowingEvidence(words.evidence)
        self._opened = known.opened if known is not None else first.at
        self._last_seen = known.last_seen if known is not None else first.at
        self._times_seen = known.times_seen if known is not None else 1
        if known is not None:
            self.add(first)

    def add(self, diagnosis: Diagnosis) -> None:
        """One more."""
        self._words = self._decided(self._newer(diagnosis), diagnosis)
        self._guest_told = self._guest_told and diagnosis.guest_told
        self._evidence.add(diagnosis.evidence)
        self._opened = min(self._opened, diagnosis.at)
        self._last_seen = max(self._last_seen, diagnosis.at)
        self._times_seen += 1

    def incident(self) -> Incident:
        """The incident as it is now."""
        words = self._words
        if words.evidence is not self._evidence.pieces or words.guest_told != self._guest_told:
            words = replace(words, evidence=self._evidence.pieces, guest_told=self._guest_told)
        if self._known is None:
            return Incident(self._key, words, "open", self._opened, self._last_seen, self._times_seen)
        return replace(
            self._known,
            diagnosis=words,
            opened=self._opened,
            last_seen=self._last_seen,
            times_seen=self._times_seen,
        )

    def _newer(self, diagnosis: Diagnosis) -> Diagnosis:
        """Whose words stand in the incident: the younger ones, but the host's own before what a guest may have said."""
        if self._guest_told != diagnosis.guest_told:
            return self._words if diagnosis.guest_told else diagnosis
        return diagnosis if diagnosis.at >= self._last_seen else self._words

    def _decided(self, words: Diagnosis, new: Diagnosis) -> Diagnosis:
        """The words with the class that something decided: that it says so no more the next time takes nothing back."""
        if self._rule is None or not self._decidable or words.class_ != self._rule.class_:
            return words
        decided = next((one for one in (self._words, new) if one.class_ in self._decidable), words)
        if decided.class_ == words.class_ and decided.cause == words.cause:
            return words
        return replace(words, class_=decided.class_, cause=decided.cause)
