"""What is known about the host, the newest of each kept."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from xenwatch.model.fact import Fact
from xenwatch.model.serialize import fact_from_json, fact_json
from xenwatch.model.subject import Subject

MOST_FACTS = 20_000


class FactStore:
    """Facts by name and subject."""

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple[str, str], Fact] = OrderedDict()

    def learn(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            key = (fact.name, str(fact.subject))
            known = self._facts.get(key)
            if known is None or fact.at >= known.at:
                self._facts[key] = fact
                self._facts.move_to_end(key)
        while len(self._facts) > MOST_FACTS:
            self._facts.popitem(last=False)

    def forget(self, before: float) -> None:
        """Let go of what was last learnt before that moment: it is not known any more."""
        for key in [key for key, fact in self._facts.items() if fact.at < before]:
            del self._facts[key]

    def find(self, name: str, subject: Subject) -> Fact | None:
        """The subject's own fact, else the host's; of a path, what holds for the mount it lies on."""
        if subject.kind == "mount":
            places = [subject.name, *map(str, PurePosixPath(subject.name).parents)]
            mounts = (str(replace(subject, name=place)) for place in places)
            return next((fact for mount in mounts if (fact := self._facts.get((name, mount)))), None)
        return self._facts.get((name, str(subject))) or self._facts.get((name, str(subject.its_host)))

    def state(self) -> list[Any]:
        return [fact_json(fact) for fact in self._facts.values()]

    def restore(self, state: Iterable[Any]) -> None:
        self._facts.clear()
        self.learn(map(fact_from_json, state))
