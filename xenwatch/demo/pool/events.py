"""event.from, as ocaml/xapi/xapi_event.ml answers it."""

import asyncio
from typing import Any

from xenwatch.demo.pool.database import Database, Stored
from xenwatch.demo.pool.datamodel import DATAMODEL
from xenwatch.demo.pool.errors import ApiFailure


def token_of(generation: int) -> str:
    """Zeros in front, so that tokens compare as text."""
    return f"{generation:020d},{generation:020d}"


def parsed(token: str) -> int:
    """The generation that a token stands for."""
    if token == "":
        return 0
    try:
        generation, messages = token.split(",")
        int(messages)
        return int(generation)
    except ValueError:
        raise ApiFailure("EVENT_FROM_TOKEN_PARSE_FAILURE", token) from None


def wanted(class_: str, ref: str, subscriptions: list[str]) -> bool:
    """`*`, `vm` or `vm/OpaqueRef:…`, without regard to case of the class."""
    for one in subscriptions:
        name, _, of = one.partition("/")
        if one == "*" or (name.lower() == class_.lower() and of in ("", ref)):
            return True
    return False


def since(database: Database, subscriptions: list[str], start: int) -> list[dict[str, Any]]:
    """Events in the order in which xapi gives them: additions, changes, deletions."""
    if start and start < database.horizon:
        raise ApiFailure("EVENTS_LOST")
    found: dict[str, list[dict[str, Any]]] = {"add": [], "mod": [], "del": []}
    for class_ in DATAMODEL:
        for ref, stored in database.objects[class_].items():
            if stored.modified > start and wanted(class_, ref, subscriptions):
                operation = "add" if stored.created > start else "mod"
                found[operation].append(_event(class_, ref, operation, stored))
    for class_, ref, created, deleted in database.deleted:
        if created <= start < deleted and wanted(class_, ref, subscriptions):
            found["del"].append(_event(class_, ref, "del", None, deleted))
    return [*found["add"], *found["mod"], *found["del"]]


def _event(class_: str, ref: str, operation: str, stored: Stored | None, at: int = 0) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": str(stored.modified if stored else at), "timestamp": "0.0", "class": class_.lower(),
        "operation": operation, "ref": ref,
    }  # fmt: skip
    return event if stored is None else {**event, "snapshot": stored.record}


async def event_from(
    database: Database, subscriptions: list[str], token: str, seconds: float, check: Any
) -> dict[str, Any]:
    """Waits up to so many seconds for the first event; `check` raises when the session has ended meanwhile."""
    start, end = parsed(token), asyncio.get_running_loop().time() + seconds
    while True:
        check()
        events = since(database, subscriptions, start)
        left = end - asyncio.get_running_loop().time()
        if events or left <= 0:
            counts = {class_.lower(): _Number(len(objects)) for class_, objects in database.objects.items()}
            counts.pop("message")
            return {"events": events, "valid_ref_counts": counts, "token": token_of(database.generation)}
        async with database.changed:
            try:
                async with asyncio.timeout(left):
                    await database.changed.wait()
            except TimeoutError:
                pass


class _Number(int):
    """Stays a number on the wire: valid_ref_counts are 32 bits wide."""


NUMBER = _Number
