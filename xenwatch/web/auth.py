"""Persons with a token of their own, and what each may do."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

Role = Literal["viewer", "approver", "admin"]
_RANKS: dict[Role, int] = {"viewer": 0, "approver": 1, "admin": 2}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token of their own."""

    name: str
    role: Role
    token: str


def person(request: web.Request, people: Sequence[User], least: Role) -> str:
    """Who asks, as the journal names persons; 401 without a token we know, 403 where the role is too low."""
    scheme, _, word = request.headers.get("Authorization", "").partition(" ")
    # A header may hold any bytes; those that are no UTF-8 arrive as surrogates.
    given = word.encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""
    found = [one for one in people if hmac.compare_digest(given, one.token.encode())]
    if not given or not found:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
    if _RANKS[found[0].role] < _RANKS[least]:
        raise web.HTTPForbidden
    return f"human:{found[0].name}"
