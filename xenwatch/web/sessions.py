"""Who is signed in with a browser: sessions in memory, few, short, each with a token that its forms carry."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from xenwatch.web.auth import User, user_of_token

MOST_SESSIONS = 200
"""One more ends the session that began first."""
LIFETIME = 4 * 3600.0
"""Seconds until a person signs in again; an open page that reads itself again does not prolong it."""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """One browser of one person. `form_token` is in each form: only our own pages know it."""

    user: User
    form_token: str
    ends: float
    token: str
    """What the person signed in with, for those who do not take the agent's word for a consent."""


class Sessions:
    """The open sessions, by the secret in the browser's cookie. A restart ends all of them."""

    def __init__(self, users: Sequence[User], clock: Callable[[], float], external_host: str = "") -> None:
        """`external_host`: the name behind a proxy that does TLS for the agent."""
        self.users, self._clock, self._external_host = tuple(users), clock, external_host
        self._open: OrderedDict[str, BrowserSession] = OrderedDict()

    def sign_in(self, token: str) -> tuple[str, BrowserSession] | None:
        """The secret of a new session and the session; None where nobody has this token."""
        user = user_of_token(token.encode("utf-8", "surrogateescape"), self.users)
        if user is None:
            return None
        secret = secrets.token_urlsafe(32)
        self._open[secret] = BrowserSession(user, secrets.token_urlsafe(32), self._clock() + LIFETIME, token)
        if len(self._open) > MOST_SESSIONS:
            self._open.popitem(last=False)
        return secret, self._open[secret]

    def of(self, request: web.Request) -> BrowserSession | None:
        """The session of the browser that asks; None where there is none, or its time is over."""
        secret = request.cookies.get(self.cookie_name(request), "")
        session = self._open.get(secret)
        if session is not None and session.ends <= self._clock():
            del self._open[secret]
            return None
        return session

    def end(self, request: web.Request) -> None:
        """Sign out."""
        self._open.pop(request.cookies.get(self.cookie_name(request), ""), None)

    def is_private(self, request: web.Request) -> bool:
        """Whether nobody on the way can read the answer, so that cookies may be for TLS alone."""
        return request.secure or bool(self._external_host and request.host == self._external_host)

    def cookie_name(self, request: web.Request, name: str = "session") -> str:
        """Under TLS with the prefix that keeps other hosts of the domain from setting it."""
        return f"{'__Host-' if self.is_private(request) else ''}xenwatch-{name}"

    def give(
        self, request: web.Request, answer: web.StreamResponse, value: str, *, name: str = "session", seconds: float
    ) -> None:
        """Put a cookie into the answer that no script and no other site can use."""
        answer.set_cookie(
            self.cookie_name(request, name), value, max_age=int(seconds), path="/", httponly=True, samesite="Strict",
            secure=self.is_private(request),
        )  # fmt: skip


def is_same(given: str, expected: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of them."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


SESSIONS = web.AppKey("sessions", Sessions)
"""Where an application keeps them."""
