"""The listening socket that systemd hands over, and the life of a process that it starts when somebody connects."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping

from xenwatch.base.errors import InputError
from xenwatch.host.privileged.server import LocalServer

_FIRST = 3
"""The first descriptor that systemd passes: sd_listen_fds(3)."""


def handed_over(environment: Mapping[str, str], pid: int) -> socket.socket:
    """The one socket; InputError where there is none, several, or one of another kind."""
    if environment.get("LISTEN_PID") != str(pid) or environment.get("LISTEN_FDS") != "1":
        raise InputError("this program is started by its socket unit of systemd, with one listening socket")
    listening = socket.socket(fileno=_FIRST)
    if listening.family != socket.AF_UNIX or listening.type != socket.SOCK_STREAM:
        raise InputError("the socket of the unit is no stream socket of this machine")
    os.set_inheritable(_FIRST, False)
    listening.setblocking(False)
    return listening


async def serve_until_told(server: LocalServer, listening: socket.socket, idle: float | None) -> None:
    """Until SIGTERM, SIGINT or idleness; what was begun by then is ended first."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.serve(listening, stop, idle)
