"""Keys under which an application keeps what its handlers need."""

from aiohttp import web

from xenwatch.web.connection import ClientConnection
from xenwatch.web.context import WebContext

VIEW = web.AppKey("view", WebContext)
GATES = web.AppKey("gates", dict[object, ClientConnection])
"""Of the open connections, by aiohttp's protocol."""
