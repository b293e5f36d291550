"""Users with a token of their own, and what each may do."""

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


def user_of_token(given: bytes, users: Sequence[User]) -> User | None:
    """Whoever has this token; None: nobody."""
    matching = [user for user in users if hmac.compare_digest(given, user.token.encode())]
    return matching[0] if given and matching else None


def may(user: User, least: Role) -> bool:
    """Whether the role of this user is enough."""
    return _RANKS[user.role] >= _RANKS[least]


def actor_name(user: User) -> str:
    """As the run store names this user."""
    return f"human:{user.name}"


def authorise(request: web.Request, users: Sequence[User], least: Role) -> str:
    """The actor who asks, as the run store names users; 401 without a valid token, 403 where the role is too low."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # A header may hold any bytes; those that are no UTF-8 arrive as surrogates.
    given = token.encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""
    user = user_of_token(given, users)
    if user is None:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
    if not may(user, least):
        raise web.HTTPForbidden
    return actor_name(user)
