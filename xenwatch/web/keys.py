"""Keys under which an application keeps what its handlers need."""

from aiohttp import web

from xenwatch.web.connection import Gate
from xenwatch.web.context import View

VIEW = web.AppKey("view", View)
GATES = web.AppKey("gates", dict[object, Gate])
"""Of the open connections, by aiohttp's protocol."""
