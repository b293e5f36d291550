"""How a page is made: templates that escape everything, the files they load, and what a browser may do with them."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from xenwatch import __version__
from xenwatch.base.durations import format_size
from xenwatch.base.printed_text import is_sentence, printable
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.headings import HEADINGS
from xenwatch.model.steps import typed
from xenwatch.model.subject import HOST, Subject
from xenwatch.web.auth import may
from xenwatch.web.context import CONTEXT
from xenwatch.web.sessions import SESSIONS

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@cache
def environment() -> Environment:
    """Templates see only what a handler hands them; a name that is not there is an error, not an empty text."""
    made = Environment(
        loader=PackageLoader("xenwatch.web.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        age=age, utc=utc, may=may, printable=printable, size=format_size, sentence=is_sentence,
        typed=_typed, without_gaps=without_gaps, not_checked=not_checked_text,
    )  # fmt: skip
    made.globals.update(
        version=__version__,
        headings={heading.key: heading.title for heading in HEADINGS},
        asset=lambda name: f"/assets/{name}?v={_asset(name)[1]}",
    )
    return made


def page(request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
    """The template filled in. Nothing but our own style and script runs in it, whatever a guest wrote."""
    session = request.app[SESSIONS].of(request)
    text = (
        environment()
        .get_template(template)
        .render(
            **values,
            now=request.app[CONTEXT].now(),
            host=request.app[CONTEXT].host,
            pool_names=sorted(request.app[CONTEXT].pools()),
            here_path=request.rel_url.raw_path_qs if request.method == "GET" else "/",
            person=session.user if session is not None else None,
            form_token=session.form_token if session is not None else "",
        )
    )
    headers = {"Content-Security-Policy": _POLICY}
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status, headers=headers)


async def asset(request: web.Request) -> web.Response:
    """A file that the pages load; its address changes with its content, so a browser may keep it for good."""
    name = request.match_info["name"]
    if name not in {entry.name for entry in files("xenwatch.web.site").joinpath("assets").iterdir()}:
        raise web.HTTPNotFound(text=f"there is no file {name!r}")
    kind = _TYPES[name.rsplit(".", 1)[-1]]
    return web.Response(body=_asset(name)[0], content_type=kind, headers={"Cache-Control": "max-age=31536000"})


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """Content and a short hash of it."""
    body = files("xenwatch.web.site").joinpath("assets", name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:12]


def _typed(steps: Iterable[str], subject: Subject | None) -> tuple[str, ...]:
    """Steps as they are typed on this host; a page about no incident has no subject."""
    return typed(steps, subject or HOST, old=False)


def age(seconds: float) -> str:
    """How long ago, roughly: `40 s`, `12 min`, `3 h`, `5 days`."""
    seconds = max(0, int(seconds))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} days"


def utc(at: float | None) -> str:
    """`2026-11-28 03:12:44`, for the eye; empty where nobody knows."""
    try:
        return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""
