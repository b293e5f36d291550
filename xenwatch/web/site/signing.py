"""Sign in with the token of access.toml, and out again."""

import asyncio
import re
import secrets

from aiohttp import web

from xenwatch.web.rate_limit import RateLimiter
from xenwatch.web.sessions import LIFETIME, SESSIONS, is_same
from xenwatch.web.site.forms import form_fields, go_to, local
from xenwatch.web.site.page import page

_PER_MINUTE = 10
_FORM_SECONDS = 3600.0
_FORM_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_LIMITER = web.AppKey("sign_in_limiter", RateLimiter)


def prepare(app: web.Application) -> None:
    """Count the attempts of each address."""
    app[_LIMITER] = RateLimiter(_PER_MINUTE, lambda: asyncio.get_running_loop().time())


async def sign_in_page(request: web.Request) -> web.Response:
    """The form; its own cookie proves that the browser got it from here."""
    return _form(request, local(request.query.get("to", "/")))


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session, or say that the token is not known."""
    fields, sessions, limiter = await form_fields(request), request.app[SESSIONS], request.app[_LIMITER]
    back = local(fields.get("back", "/"))
    seconds = limiter.wait(request.remote)
    if seconds:
        return _form(request, back, 429, f"Too many attempts. Try again in {seconds} s.")
    if not is_same(fields.get("form_token", ""), request.cookies.get(sessions.cookie_name(request, "form"), "")):
        return _form(request, back, 403, "The page was open for too long, or the browser keeps no cookies. Try again.")
    limiter.take(request.remote)
    sessions.end(request)
    begun = sessions.sign_in(fields.get("token", "").strip())
    if begun is None:
        return _form(request, back, 403, "Nobody has this token.")
    answer = go_to(back)
    sessions.give(request, answer, begun[0], seconds=LIFETIME)
    return answer


async def sign_out(request: web.Request) -> web.Response:
    """End the session. Another site cannot: its form would come without the cookie."""
    fields, sessions = await form_fields(request), request.app[SESSIONS]
    session = sessions.of(request)
    if session is not None and is_same(fields.get("form_token", ""), session.form_token):
        sessions.end(request)
    answer = go_to("/")
    sessions.give(request, answer, "", seconds=0)
    return answer


def _form(request: web.Request, back: str, status: int = 200, problem: str = "") -> web.Response:
    sessions = request.app[SESSIONS]
    kept = request.cookies.get(sessions.cookie_name(request, "form"), "")  # a second window has the same
    token = kept if _FORM_TOKEN.fullmatch(kept) else secrets.token_urlsafe(32)
    answer = page(
        request, "sign_in.html", status, back=back, problem=problem, login_token=token, has_users=bool(sessions.users)
    )
    sessions.give(request, answer, token, name="form", seconds=_FORM_SECONDS)
    return answer
