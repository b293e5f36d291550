"""What goes over a socket between the agent and a process with rights: one JSON object in a line each way, limited."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from xenwatch.base.errors import InputError, NotJson

T = TypeVar("T")

LONGEST_QUESTION = 16 * 1024
"""Bytes of a question, line end included."""
LONGEST_ANSWER = 12 * 1024 * 1024
"""Bytes of an answer: `xl list -l` of a thousand guests fits."""

REFUSED = "refused"
"""The key of an answer that says why nothing was done."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object in a line. NotJson also where a key appears twice: two readers would see two values."""
    try:
        message = json.loads(line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except NotJson:
        raise
    except (ValueError, RecursionError):
        raise NotJson("the line is not JSON") from None
    if not isinstance(message, dict):
        raise NotJson("the line is not a JSON object")
    return message


def field_of(message: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """A field of this very type; InputError otherwise. A truth value is no number."""
    value = message.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{key} must be {kind.__name__}")
    return value


def only(message: Mapping[str, Any], *keys: str) -> None:
    """InputError where there is a key that nobody asks for: nothing is passed over in silence."""
    if unknown := sorted(message.keys() - set(keys)):
        raise InputError(f"unknown: {', '.join(unknown)[:200]}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a key appears twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise NotJson(f"{name} is not JSON")
