"""A person's remark on an incident, from what a client sent: checked and cut to its limits."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from xenwatch.model.incident import LONGEST_REMARK, REMARK_KINDS, Remark

LONGEST_ACKNOWLEDGEMENT = 30 * 86400.0
_LONGEST_NAME = 200
_NEEDS_TEXT = {"note": "a note", "closed": "closing an incident by hand", "wrong": "a diagnosis that was wrong"}
"""These say nothing without words."""


def remark_of(body: Mapping[str, Any], now: float) -> Remark:
    """`by`, `what` and where wanted `text` and `seconds`; 400 says what is missing or makes no sense."""
    name, what, text = body.get("by"), body.get("what"), body.get("text", "")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise web.HTTPBadRequest(text='the body must be {"by": "your name"}')
    kind = next((kind for kind in REMARK_KINDS if kind == what), None)
    if kind is None:
        raise web.HTTPBadRequest(text=f"what must be one of {', '.join(REMARK_KINDS)}")
    if not isinstance(text, str) or len(text) > LONGEST_REMARK:
        raise web.HTTPBadRequest(text=f"text must be at most {LONGEST_REMARK} characters")
    if kind in _NEEDS_TEXT and not text.strip():
        raise web.HTTPBadRequest(text=f"{_NEEDS_TEXT[kind]} needs a text that says why")
    until = _until(body.get("seconds"), now) if kind == "acknowledged" else None
    return Remark(now, name.strip(), kind, " ".join(text.split()), until)


def _until(seconds: object, now: float) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_ACKNOWLEDGEMENT:
        raise web.HTTPBadRequest(text=f"seconds must be a number from 1 to {LONGEST_ACKNOWLEDGEMENT:.0f}")
    return now + seconds
