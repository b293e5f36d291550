"""Who may write: whoever the kernel names on the socket of this machine, and over TCP people with a token."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from xenwatch.base.errors import Unavailable
from xenwatch.web.app import build_local_app, serve_socket
from xenwatch.web.server.connection import ConnectionLimits
from xenwatch.web.server.local_users import credentials_of
from xenwatch.web.server.unix_socket import group_id, unix_socket

Served = Any  # conftest's
NOBODY, ON_CALL = 65534, 4711
"""A user of this machine, and a group that a user may be a member of."""
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
WHERE = "/api/v1/incidents/v-web/acknowledge"


@pytest.fixture
def folder() -> AsyncIterator[Path]:
    """One that every user may enter, as /run/xenwatch."""
    made = Path(tempfile.mkdtemp(prefix="xw"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@contextlib.asynccontextmanager
async def on_socket(served: Served, folder: Path, gid: int | None = None) -> AsyncIterator[Path]:
    path = folder / "api.sock"
    app = build_local_app(served.view(), gid, largest_request=65536)
    listener = await serve_socket(app, path, gid, ConnectionLimits())
    yield path
    await listener.close()
    assert not path.exists()


def ask(path: Path, body: dict[str, str] | None, uid: int, groups: list[int]) -> tuple[int, dict[str, Any]]:
    """What another user is answered; code 0 where the file lets nobody in. A process of its own becomes that user."""
    head = f"{'GET /api/v1/incidents' if body is None else f'POST {WHERE}'} HTTP/1.1\r\nHost: localhost\r\n"
    text = json.dumps(body) if body is not None else ""
    sent = f"{head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    reading, writing = os.pipe()
    if not (child := os.fork()):
        with contextlib.suppress(BaseException):
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            _talk(path, sent.encode(), writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found = answer.read()
    os.waitpid(child, 0)
    code, _, rest = found.partition(b" ")[2].partition(b" ")
    return (int(code), json.loads(rest.partition(b"\r\n\r\n")[2])) if found else (0, {})


def _talk(path: Path, sent: bytes, writing: int) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(sent)
        while piece := sock.recv(65536):
            os.write(writing, piece)


async def test_over_tcp_a_user_of_this_machine_without_a_token_acknowledges_nothing(
    served: Served, client: aiohttp.ClientSession, an_incident
):
    served.know(an_incident("web"))
    answer = await client.post(WHERE, json={"by": "ann"})
    assert answer.status == 401
    assert "needs the token of a person" in (await answer.json())["error"]
    assert served.known["v-web"].acknowledged_by is None


@pytest.mark.parametrize(
    ("token", "code"), [("viewer-token-1234", 403), ("approver-token-1", 401), ("approver-token-12", 200)]
)
async def test_over_tcp_it_takes_the_role_of_an_approver(
    served: Served, client: aiohttp.ClientSession, an_incident, token, code
):
    served.know(an_incident("web"))
    answer = await client.post(WHERE, json={"by": "x"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == code


async def test_the_name_of_the_tokens_owner_counts_and_not_the_one_in_the_body(
    served: Served, client: aiohttp.ClientSession, an_incident, as_ann
):
    served.know(an_incident("web"))
    await client.post(WHERE, json={"by": "the boss"}, headers=as_ann)
    assert served.known["v-web"].acknowledged_by == "ann"


async def test_reading_over_tcp_needs_no_token_where_none_is_configured(served: Served, client: aiohttp.ClientSession):
    assert (await client.get("/api/v1/incidents")).status == 200


async def test_on_the_socket_the_agents_own_user_acknowledges_without_a_token(served: Served, folder, an_incident):
    served.know(an_incident("web"))
    async with on_socket(served, folder) as path:
        async with aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(path))) as session:
            answer = await session.post(WHERE, json={"by": "anna"})
            assert answer.status == 200
            assert (await session.post(WHERE, json={"by": "x"}, headers={"Origin": "http://evil"})).status == 415
        assert path.stat().st_mode & 0o777 == 0o600


@ROOT_ONLY
async def test_on_the_socket_another_user_is_let_in_neither_by_the_file_nor_past_it(
    served: Served, folder, an_incident
):
    served.know(an_incident("web"))
    async with on_socket(served, folder) as path:
        assert (await asyncio.to_thread(ask, path, {"by": "root"}, NOBODY, []))[0] == 0
        path.chmod(0o666)
        for body in ({"by": "root"}, None):
            code, said = await asyncio.to_thread(ask, path, body, NOBODY, [])
            assert (code, said) == (403, {"error": "the socket answers root and the members of [web] socket_group"})
    assert served.known["v-web"].acknowledged_by is None


@ROOT_ONLY
async def test_on_the_socket_a_member_of_the_group_acknowledges_under_the_own_name_alone(
    served: Served, folder, an_incident
):
    served.know(an_incident("web"))
    async with on_socket(served, folder, ON_CALL) as path:
        code, said = await asyncio.to_thread(ask, path, {"by": "root"}, NOBODY, [ON_CALL])
        assert (code, said["incident"]["acknowledged_by"]) == (200, "nobody")
        assert (path.stat().st_mode & 0o777, path.stat().st_gid) == (0o660, ON_CALL)


def test_what_an_agent_that_was_killed_left_behind_is_replaced_and_a_socket_in_use_is_not(folder):
    path = folder / "api.sock"
    unix_socket(path).close()
    assert path.exists()
    with unix_socket(path), pytest.raises(Unavailable, match="another process listens there"):
        unix_socket(path)


def test_a_file_that_is_no_socket_stays(folder):
    path = folder / "api.sock"
    path.write_text("precious")
    with pytest.raises(Unavailable, match="not a socket"):
        unix_socket(path)
    assert path.read_text() == "precious"


def test_a_group_that_this_machine_does_not_have_is_named():
    with pytest.raises(Unavailable, match="no group of-nobody"):
        group_id("of-nobody")


def test_the_kernel_names_the_user_and_all_groups_of_a_peer():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = credentials_of(ours)
    assert peer.uid == os.geteuid()
    assert {os.getegid(), *os.getgroups()} <= peer.groups
