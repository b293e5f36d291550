"""What a listener and its connections need is checked when they are made, also where Python runs without assertions."""

import asyncio

import pytest
from aiohttp import web

from xenwatch.web.server.connection import ClientConnection, ConnectionLimits
from xenwatch.web.server.listener import Listener


def test_a_listener_of_a_runner_that_was_not_set_up_is_refused():
    with pytest.raises(RuntimeError, match="must be set up"):
        Listener(web.AppRunner(web.Application()), ConnectionLimits())


async def test_a_listener_of_a_runner_that_was_set_up_listens():
    runner = web.AppRunner(web.Application())
    await runner.setup()
    listener = Listener(runner, ConnectionLimits())
    assert await listener.open("127.0.0.1", 0) == listener.port
    await listener.close()


def test_a_transport_that_cannot_write_is_refused():
    connection = ClientConnection(asyncio.Protocol(), ConnectionLimits(), lambda _reason: None, lambda: None)
    with pytest.raises(TypeError, match="BaseTransport"):
        connection.connection_made(asyncio.BaseTransport())
