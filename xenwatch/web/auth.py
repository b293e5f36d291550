"""Users with a token of their own, and what each may do."""

import hashlib
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
    token_sha256: str = ""
    """Instead of the token: then the agent itself does not know it, and cannot give it out."""


def user_of_token(given: bytes, users: Sequence[User]) -> User | None:
    """Whoever has this token; None: nobody."""
    digest = hashlib.sha256(given).hexdigest()
    matching = [user for user in users if _has(user, given, digest)]
    return matching[0] if given and matching else None


def _has(user: User, given: bytes, digest: str) -> bool:
    if user.token_sha256:
        return hmac.compare_digest(digest, user.token_sha256)
    return hmac.compare_digest(given, user.token.encode())


def may(user: User, least: Role) -> bool:
    """Whether the role of this user is enough."""
    return _RANKS[user.role] >= _RANKS[least]


def actor_name(user: User) -> str:
    """As the run store names this user."""
    return f"human:{user.name}"


def token_of(request: web.Request) -> str:
    """The bearer token of a request; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def authorise(request: web.Request, users: Sequence[User], least: Role) -> str:
    """The actor who asks, as the run store names users; 401 without a valid token, 403 where the role is too low."""
    # A header may hold any bytes; those that are no UTF-8 arrive as surrogates.
    user = user_of_token(token_of(request).encode("utf-8", "surrogateescape"), users)
    if user is None:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
    if not may(user, least):
        raise web.HTTPForbidden
    return actor_name(user)
