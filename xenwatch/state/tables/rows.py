"""What several tables need: JSON values by name, and text that SQLite can store."""

import json
import logging
from collections.abc import Iterable
from typing import Any

log = logging.getLogger(__name__)


def json_values(rows: Iterable[tuple[str, str]], *, unreadable: bool = False) -> dict[str, Any]:
    """The values of (name, JSON) rows; one that cannot be read is logged and the others are kept.

    `unreadable`: it is None then. Otherwise it is left out.
    """
    values: dict[str, Any] = {}
    for name, text in rows:
        try:
            values[name] = json.loads(text)
        except ValueError as error:
            if unreadable:
                values[name] = None
            log.error("%s in the state database cannot be read: %s", name, error)  # noqa: TRY400 - a row is data; its traceback says nothing
    return values


def storable(text: str) -> str:
    """SQLite takes UTF-8 only; a guest's name may hold bytes that are not UTF-8."""
    return text.encode("utf-8", "replace").decode()
