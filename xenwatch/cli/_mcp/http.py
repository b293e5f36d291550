"""The MCP server over streamable HTTP: on the loopback, or for those who know the token."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]
_NAMES = ("127.0.0.1:*", "localhost:*", "[::1]:*")


def serve_http(server: MCPServer, host: str, port: int, token: str | None) -> None:
    """Serve /mcp until a signal ends it. Without a token only names of the loopback are answered."""
    # A web page may point its own name at 127.0.0.1; it cannot know the token, but without one the name must be ours.
    names = TransportSecuritySettings(
        enable_dns_rebinding_protection=token is None, allowed_hosts=list(_NAMES), allowed_origins=[]
    )
    app: App = server.streamable_http_app(stateless_http=True, transport_security=names, host=host)
    uvicorn.run(app if token is None else _guarded(app, token), host=host, port=port, log_level="warning")


def _guarded(app: App, token: str) -> App:
    wanted = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Any, send: Send) -> None:
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] == "http" and not hmac.compare_digest(given, wanted):
            headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return guarded
