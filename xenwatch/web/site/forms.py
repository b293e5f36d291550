"""Forms of pages: taken only from our own pages, of a person who is signed in and may do it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs, quote

from aiohttp import web

from xenwatch.base.errors import InputError, StoreError
from xenwatch.web.auth import Role, User, may
from xenwatch.web.body import read
from xenwatch.web.rate_limit import RateLimiter
from xenwatch.web.sessions import SESSIONS, BrowserSession, is_same
from xenwatch.web.site.page import page

_LARGEST = 16 * 1024
_MOST_FIELDS = 20
_PER_MINUTE = 60
_LIMITER = web.AppKey("form_limiter", RateLimiter)

FormFields = Mapping[str, str]
FormHandler = Callable[[web.Request, User, FormFields], Awaitable[str]]
"""Does what the form says and returns the address of the page to show next."""


def prepare(app: web.Application) -> None:
    """Count the forms that each person sends."""
    app[_LIMITER] = RateLimiter(_PER_MINUTE, lambda: asyncio.get_running_loop().time())


def form(path: str, least: Role, handler: FormHandler) -> web.RouteDef:
    """A route for a form that changes something; whoever is not signed in is asked to."""

    async def answer(request: web.Request) -> web.Response:
        fields, session = await form_fields(request), request.app[SESSIONS].of(request)
        if session is None:
            return go_to(f"/sign-in?to={quote(local(fields.get('back', '/')), safe='')}")
        objection = _objection(request, session, fields, least)
        return objection or await _carry_out(request, handler, session.user, fields)

    return web.post(path, answer)


def _objection(request: web.Request, session: BrowserSession, fields: FormFields, least: Role) -> web.Response | None:
    """Why the form is not taken; None where it is."""
    user, limiter = session.user, request.app[_LIMITER]
    if not is_same(fields.get("form_token", ""), session.form_token):
        return refused(request, 403, "This form is of an earlier session. Open the page again and send it again.")
    if not may(user, least):
        return refused(request, 403, f"{user.name} has the role {user.role}; this needs the role {least}.")
    if limiter.wait(user.name):
        return refused(request, 429, "Too many forms in a minute. Wait a moment and try again.")
    limiter.take(user.name)
    return None


async def _carry_out(request: web.Request, handler: FormHandler, user: User, fields: FormFields) -> web.Response:
    try:
        return go_to(await handler(request, user, fields))
    except web.HTTPBadRequest as error:
        return refused(request, 400, error.text or "")
    except InputError as error:
        return refused(request, 400, str(error))
    except StoreError as error:
        return refused(request, 503, str(error))


async def form_fields(request: web.Request) -> dict[str, str]:
    """The fields of a form that came from one of our own pages; 400, 403 or 415 otherwise."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise web.HTTPForbidden(text="a form must come from a page of this agent")
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="send the form as application/x-www-form-urlencoded")
    try:
        text = (await read(request, _LARGEST)).decode("utf-8")
        given = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise web.HTTPBadRequest(text="the form cannot be read") from None
    return {name: values[0] for name, values in given.items()}


def go_to(address: str) -> web.Response:
    """Show that page next."""
    return web.Response(status=303, headers={"Location": local(address)})


def refused(request: web.Request, status: int, why: str) -> web.Response:
    """A page that says why nothing was done."""
    return page(request, "refused.html", status, why=why)


def local(address: str) -> str:
    """The address where it is a page of this agent; otherwise the first page."""
    is_ours = address.startswith("/") and not address.startswith("//")
    return address if is_ours and "\\" not in address and address.isprintable() else "/"
