"""What is known about the host, the newest of each kept."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from xenwatch.model.fact import Fact
from xenwatch.model.serialize import fact_from_json, fact_json
from xenwatch.model.subject import Subject

MOST_FACTS = 20_000

_Holders = dict[tuple[str | None, str, object], list[str]]
"""Names of subjects by their host, kind and value of a fact."""


class FactStore:
    """Facts by name and subject."""

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple[str, str], Fact] = OrderedDict()
        self._keys: dict[str, dict[str, None]] = {}
        """Subjects by the names of their facts."""
        self._holders: dict[str, _Holders] = {}
        """By the name of a fact: who has a value, by kind and value; made when asked for, until more is learnt."""

    def learn(self, facts: Iterable[Fact]) -> None:
        self._holders.clear()
        for fact in facts:
            key = (fact.name, str(fact.subject))
            previous = self._facts.get(key)
            if previous is None or fact.at >= previous.at:
                self._facts[key] = fact
                self._keys.setdefault(fact.name, {})[key[1]] = None
                self._facts.move_to_end(key)
        while len(self._facts) > MOST_FACTS:
            self._drop(next(iter(self._facts)))

    def forget(self, before: float) -> None:
        """Let go of what was last learnt before that moment: it is not known any more."""
        for key in [key for key, fact in self._facts.items() if fact.at < before]:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        self._holders.clear()
        del self._facts[key]
        del self._keys[key[0]][key[1]]

    def find(self, name: str, subject: Subject) -> Fact | None:
        """The subject's own fact, else the host's; of a path, what holds for the mount it lies on."""
        if subject.kind == "mount":
            places = [subject.name, *map(str, PurePosixPath(subject.name).parents)]
            mounts = (str(replace(subject, name=place)) for place in places)
            return next((fact for mount in mounts if (fact := self._facts.get((name, mount)))), None)
        return self._facts.get((name, str(subject))) or self._facts.get((name, str(subject.its_host)))

    def others(self, name: str, subject: Subject) -> list[str]:
        """Names of those of this kind on this host that share the subject's value of a fact, or one element of it."""
        if name not in self._holders:
            self._holders[name] = self._holders_of(name)
        fact = self._facts.get((name, str(subject)))
        holders, place = self._holders[name], (subject.host, subject.kind)
        names = {n for e in _elements(fact) for n in holders.get((*place, e), ())} if fact else set()
        return sorted(names - {subject.name})

    def _holders_of(self, name: str) -> _Holders:
        holders: _Holders = {}
        for _, fact in self._by_name(name):
            for element in _elements(fact):
                holders.setdefault((fact.subject.host, fact.subject.kind, element), []).append(fact.subject.name)
        return holders

    def subjects(self, kind: str, names: Iterable[str]) -> list[Subject]:
        """Those of this kind of which one of the facts is known, in the order of their names."""
        found: dict[str, Subject] = {}
        for name in names:
            for key, fact in self._by_name(name):
                if fact.subject.kind == kind and (key not in found or fact.subject.domid is not None):
                    found[key] = fact.subject
        return [found[key] for key in sorted(found)]

    def _by_name(self, name: str) -> Iterator[tuple[str, Fact]]:
        return ((key, self._facts[name, key]) for key in self._keys.get(name, ()))

    def state(self) -> list[Any]:
        return [fact_json(fact) for fact in self._facts.values()]

    def restore(self, state: Iterable[Any]) -> None:
        self._facts.clear()
        self._keys.clear()
        self.learn(map(fact_from_json, state))


def _elements(fact: Fact) -> tuple[object, ...]:
    return fact.value if isinstance(fact.value, tuple) else (fact.value,)
