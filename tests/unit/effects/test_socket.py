"""The socket itself: long lines, slow ones, half ones, many at once; it answers the next asker all the same."""

import asyncio
import json
import os

import pytest

from xenwatch.base.errors import HostError, InputError, Unavailable
from xenwatch.host.privileged import server as server_module
from xenwatch.host.privileged.client import ask
from xenwatch.host.privileged.server import MOST_ASKING, LocalServer
from xenwatch.host.privileged.wire import LONGEST_QUESTION, only
from xenwatch.web.server.unix_socket import unix_socket


async def echo(_peer, message):
    if message.get("do") == "fail":
        raise InputError("no")
    if message.get("do") == "only":
        only(message, "do")
    await asyncio.sleep(float(message.get("sleep", 0)))
    return {"heard": sorted(message)}


@pytest.fixture
async def served(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "ASK_SECONDS", 0.5)
    stop, listening = asyncio.Event(), unix_socket(tmp_path / "s.sock")
    serving = asyncio.create_task(LocalServer(echo, {os.geteuid()}).serve(listening, stop))
    yield tmp_path / "s.sock"
    stop.set()
    await asyncio.wait_for(serving, 20)


async def said(path, data: bytes, *, then_end: bool = False) -> dict:
    reader, writer = await asyncio.open_unix_connection(os.fspath(path))
    writer.write(data)
    if then_end:
        writer.write_eof()
    answer = json.loads(await reader.readline())
    writer.close()
    return answer


BAD = {
    "too long": (b'{"do": "' + b"x" * (LONGEST_QUESTION + 10) + b'"}\n', "one line of at most"),
    "too long without an end": (b"x" * (LONGEST_QUESTION * 2), "one line of at most"),
    "no JSON": (b"\xff\xfe\n", "not JSON"),
    "a list": (b"[1]\n", "not a JSON object"),
    "deep": (b"[" * 9000 + b"\n", "not JSON"),
    "a key twice": (b'{"do": "ping", "do": "effect"}\n', "appears twice"),
    "no number": (b'{"do": NaN}\n', "NaN is not JSON"),
    "never ended": (b'{"do": "ping"', "no question within"),
}


@pytest.mark.parametrize(("line", "why"), BAD.values(), ids=BAD.keys())
async def test_what_is_no_short_line_of_json_is_refused(served, line, why):
    assert why in (await said(served, line))["refused"]
    assert await ask(served, {"do": "ping"}, 5) == {"heard": ["do"]}


async def test_who_asks_writes_no_log_lines_of_his_own(served, caplog):
    forged = "run 018bcfe56800-00000000, order 0: exit 0"
    question = json.dumps({"do": "only", f"x\n{forged}\x1b[2J": 1}).encode() + b"\n"
    assert "unknown" in (await said(served, question))["refused"]
    [line] = [record.getMessage() for record in caplog.records if forged in record.getMessage()]
    assert line.isprintable()


async def test_a_question_that_ends_half_way_is_refused(served):
    assert "ended before" in (await said(served, b'{"do"', then_end=True))["refused"]


async def test_letter_by_letter_nobody_holds_a_place_for_long(served):
    slow = [await asyncio.open_unix_connection(os.fspath(served)) for _ in range(MOST_ASKING)]
    with pytest.raises(HostError):
        await ask(served, {"do": "ping"}, 5)
    for _ in range(4):
        for _, writer in slow:
            writer.write(b" ")
        await asyncio.sleep(0.2)
    assert await ask(served, {"do": "ping"}, 5) == {"heard": ["do"]}
    for _, writer in slow:
        writer.close()


async def test_a_refusal_is_an_answer_and_no_end(served):
    assert await ask(served, {"do": "fail"}, 5) == {"refused": "no"}


async def test_who_is_not_there_was_not_asked(tmp_path):
    with pytest.raises(Unavailable):
        await ask(tmp_path / "none.sock", {"do": "ping"}, 5)


async def test_what_was_begun_is_ended_before_the_server_stops(tmp_path):
    stop, listening = asyncio.Event(), unix_socket(tmp_path / "s.sock")
    serving = asyncio.create_task(LocalServer(echo, ()).serve(listening, stop))
    asking = asyncio.create_task(ask(tmp_path / "s.sock", {"do": "x", "sleep": 0.5}, 10))
    await asyncio.sleep(0.2)
    stop.set()
    assert await asking == {"heard": ["do", "sleep"]}
    await serving


async def test_idle_it_ends_by_itself(tmp_path):
    server = LocalServer(echo, ())
    await asyncio.wait_for(server.serve(unix_socket(tmp_path / "s.sock"), asyncio.Event(), 0.2), 10)
    assert (tmp_path / "s.sock").exists()  # systemd goes on listening there
