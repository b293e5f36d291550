"""Bodies of requests: read up to a size and a time, and JSON that means one thing only."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from xenwatch.base.errors import NotJson

_SECONDS = 5.0


async def read(request: web.Request, largest: int) -> bytes:
    """The whole body; 413 where it is larger, 408 where it does not come in time."""
    if (request.content_length or 0) > largest:
        raise web.HTTPRequestEntityTooLarge(largest, request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > largest:
                    raise web.HTTPRequestEntityTooLarge(largest, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(text="the body is cut up wrongly") from None
    return bytes(body)


def plain_json(body: bytes) -> Any:
    """NotJson also where a key stands twice, since two readers would see two things, and for what cannot be stored."""
    try:
        said = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeError:
        raise NotJson("the body is not UTF-8, or escapes half a character") from None
    except NotJson:
        raise
    except (ValueError, RecursionError):
        raise NotJson("the body is not JSON") from None
    return said


async def json_object(request: web.Request, largest: int) -> dict[str, Any]:
    """The object that the body is; 400 otherwise."""
    try:
        said = plain_json(await read(request, largest))
    except NotJson as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    if not isinstance(said, dict):
        raise web.HTTPBadRequest(text="the body must be an object")
    return said


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotJson("a key stands twice in one object")
    return made


def _no_constant(word: str) -> Any:
    raise NotJson(f"{word} is not JSON")
