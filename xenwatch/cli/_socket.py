"""HTTP over the socket of this machine, on which the kernel tells the agent who asks."""

import http.client
import os
import socket
import urllib.request
from pathlib import Path
from typing import Any


def answers(path: Path, deadline: float) -> bool:
    """Whether an agent listens there and lets us connect."""
    try:
        _connect(path, deadline).close()
    except OSError:
        return False
    return True


def opener(path: Path) -> urllib.request.OpenerDirector:
    """Opens requests for any address over the socket."""
    return urllib.request.build_opener(_SocketHandler(path))


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, deadline: float) -> None:
        super().__init__("localhost", timeout=deadline)
        self._path, self._deadline = path, deadline

    def connect(self) -> None:
        self.sock = _connect(self._path, self._deadline)


class _SocketHandler(urllib.request.HTTPHandler):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connection(_host: str, timeout: float, **_more: Any) -> http.client.HTTPConnection:
            return _SocketConnection(self._path, timeout)

        return self.do_open(connection, req)  # type: ignore[arg-type]  # it only calls it


def _connect(path: Path, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(deadline)
    try:
        sock.connect(os.fspath(path))
    except OSError:
        sock.close()
        raise
    return sock
