"""Under which keys the application keeps what its handlers need."""

from aiohttp import web

from xenwatch.web.view import View

VIEW: web.AppKey[View] = web.AppKey("view", View)
