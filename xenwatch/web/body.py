"""Bodies of requests: read up to a size and a time, and JSON that means one thing only."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from aiohttp import web

from xenwatch.base.errors import NotJson

_SECONDS = 5.0


async def read(request: web.Request, largest: int) -> bytes:
    """All of the body; 413 where it is larger, 408 where it does not come in time."""
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
        raise web.HTTPBadRequest(text="the body's chunks are malformed") from None
    return bytes(body)


def plain_json(body: bytes) -> object:
    """NotJson also where a key appears twice, since two readers would see two values, and for what cannot be stored."""
    try:
        value = json.loads(body, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise NotJson("the body is not UTF-8, or it escapes half a character") from None
    except NotJson:
        raise
    except (ValueError, RecursionError):
        raise NotJson("the body is not JSON") from None
    return value


async def json_object(request: web.Request, largest: int) -> dict[str, Any]:
    """The object that the body is; 400 otherwise."""
    try:
        value = plain_json(await read(request, largest))
    except NotJson as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return value


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotJson("a key appears twice in one object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")
