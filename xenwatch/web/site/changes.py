"""Tells open pages that something changed: server-sent events, which a page without a script does not need."""

import asyncio

from aiohttp import web

from xenwatch.web.context import CONTEXT

MOST_STREAMS = 50
"""Pages that are told at once; one more is told to look again by itself."""
_LOOK = 0.25
_LONGEST = 45.0
"""Seconds until a stream ends by itself, below the limit of a request; the browser opens the next one."""
_OPEN = web.AppKey("open_streams", list[int])


async def changes(request: web.Request) -> web.StreamResponse:
    """`event: change` whenever an incident opened, was seen again, was explained, acknowledged or ended."""
    streams = request.app[_OPEN]
    if streams[0] >= MOST_STREAMS:
        raise web.HTTPServiceUnavailable(text="too many pages follow the changes", headers={"Retry-After": "30"})
    streams[0] += 1
    try:
        return await _follow(request)
    finally:
        streams[0] -= 1


def prepare(app: web.Application) -> None:
    """Count the streams of this application."""
    app[_OPEN] = [0]


async def _follow(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await stream.prepare(request)
    await stream.write(b"retry: 1000\n\n")
    version, loop = request.app[CONTEXT].version, asyncio.get_running_loop()
    shown, end = version(), loop.time() + _LONGEST
    while loop.time() < end and request.transport is not None:
        await asyncio.sleep(_LOOK)
        if version() != shown:
            shown = version()
            await stream.write(b"event: change\ndata: incidents\n\n")
    return stream
