"""The objects of a pool and when each was made, changed and deleted: what event.from is answered from.

As in xapi (ocaml/database/db_cache_types.ml, ocaml/xapi/xapi_event.ml): one generation counts all changes, an object
that came and went between two questions is never told of, and messages are kept beside the database.
"""

import asyncio
import copy
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from xenwatch.base.errors import InputError
from xenwatch.demo.pool.datamodel import DATAMODEL
from xenwatch.demo.pool.errors import ApiFailure

MOST_DELETED = 1000


class Deleted(NamedTuple):
    """What is no more, and from when to when it was."""

    class_: str
    ref: str
    created: int
    deleted: int


@dataclass
class Stored:
    """An object, and the generations in which it was made and last changed."""

    record: dict[str, Any]
    created: int
    modified: int


@dataclass
class Database:
    """`seed` makes references and uuids the same in each run."""

    seed: int = 0
    most_deleted: int = MOST_DELETED
    generation: int = 1
    objects: dict[str, dict[str, Stored]] = field(default_factory=lambda: {name: {} for name in DATAMODEL})
    deleted: deque[Deleted] = field(default_factory=deque)
    horizon: int = 0
    """Deletions up to this generation are forgotten."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _made: int = 0

    def new_uuid(self) -> str:
        self._made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{self._made}"))

    def add(self, class_: str, **fields: Any) -> str:
        """A new object; its reference."""
        _require_known(class_, fields)
        ref = f"OpaqueRef:{self.new_uuid()}"
        record = {**copy.deepcopy(DATAMODEL[class_]), "uuid": self.new_uuid(), **fields}
        self.generation += 1
        self.objects[class_][ref] = Stored(record, self.generation, self.generation)
        return ref

    def change(self, class_: str, ref: str, **fields: Any) -> None:
        stored = self.objects[class_][ref]
        _require_known(class_, fields)
        self.generation += 1
        stored.record |= fields
        stored.modified = self.generation

    def next_domid(self) -> int:
        return 1 + max((int(vm["domid"]) for vm in self.records("VM").values()), default=0)

    def touch(self, class_: str, ref: str) -> int:
        """As event.inject does; the generation before."""
        before = self.generation
        self.change(class_, ref)
        return before

    def delete(self, class_: str, ref: str) -> None:
        self.generation += 1
        stored = self.objects[class_].pop(ref)
        self.deleted.append(Deleted(class_, ref, stored.created, self.generation))
        while len(self.deleted) > self.most_deleted:
            self.horizon = self.deleted.popleft().deleted

    def record(self, class_: str, ref: str) -> dict[str, Any]:
        try:
            return self.objects[class_][ref].record
        except KeyError:
            raise ApiFailure("HANDLE_INVALID", class_, ref) from None

    def records(self, class_: str) -> dict[str, dict[str, Any]]:
        return {ref: stored.record for ref, stored in self.objects[class_].items()}

    async def tell(self) -> None:
        """Wake those who wait in event.from."""
        async with self.changed:
            self.changed.notify_all()


def _require_known(class_: str, fields: dict[str, Any]) -> None:
    if unknown := fields.keys() - DATAMODEL[class_].keys():
        raise InputError(f"{class_} has no {', '.join(sorted(unknown))}")
