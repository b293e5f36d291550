"""Who may write: over the socket of this machine whoever the kernel names, over TCP only people with a token."""

import os
import pwd
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from xenwatch.web.auth import User, authorise

_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59
"""Of Linux since 4.13; Python has no name for it."""
_MOST_GROUPS = 1024
"""Bytes that Python's getsockopt takes: 256 groups."""
_WRITES_BELOW = "/api/v1/incidents/"
_HINT = (
    "over TCP this needs the token of a person with the role approver or admin (access.toml); "
    "on the machine of the agent, run the command as root or as a member of [web] socket_group"
)
WRITER = web.RequestKey("writer", str)
"""Where a request keeps the proven name of who writes; root's requests have none and name the person themselves."""


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """Who is at the other end of a socket, as the kernel knows and nobody can claim."""

    uid: int
    groups: frozenset[int]

    @property
    def name(self) -> str:
        """The login name; the number where there is none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


def peer_of(request: web.Request) -> PeerCredentials | None:
    """Who asks over a socket of this machine; None over TCP."""
    sock = request.transport.get_extra_info("socket") if request.transport is not None else None
    return credentials_of(sock) if sock is not None and sock.family == socket.AF_UNIX else None


def credentials_of(sock: socket.socket) -> PeerCredentials:
    """Of the process that connected."""
    _, uid, gid = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS)
    except OSError:  # an old kernel, or more groups than fit: the first group alone counts
        raw = b""
    return PeerCredentials(uid, frozenset((gid, *(group for (group,) in struct.iter_unpack("I", raw)))))


def from_this_machine(request: web.Request) -> bool:
    """Whether it came over the loopback or a socket of this machine."""
    return request.remote in {"127.0.0.1", "::1"} or peer_of(request) is not None


def local_users_only(gid: int | None) -> Middleware:
    """For the socket: root, the agent's own user and the members of a group. Each writes under the own name."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = peer_of(request)
        if peer is None or not (peer.uid in {0, os.geteuid()} or gid in peer.groups):
            raise web.HTTPForbidden(text="the socket answers root and the members of [web] socket_group")
        if peer.uid != 0:
            request[WRITER] = peer.name
        return await handler(request)

    return admit


def writers_only(users: Sequence[User]) -> Middleware:
    """For TCP: what changes an incident needs a token, on the loopback too: every user of the machine reaches that."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST" and request.rel_url.path.startswith(_WRITES_BELOW):
            request[WRITER] = _writer(request, users)
        return await handler(request)

    return check


def _writer(request: web.Request, users: Sequence[User]) -> str:
    try:
        return authorise(request, users, "approver").removeprefix("human:")
    except web.HTTPUnauthorized:
        raise web.HTTPUnauthorized(text=_HINT, headers={"WWW-Authenticate": "Bearer"}) from None
    except web.HTTPForbidden:
        raise web.HTTPForbidden(text=_HINT) from None
