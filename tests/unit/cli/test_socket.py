"""The commands of this machine go over its socket first; over TCP where there is none, or it lets them not in."""

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from xenwatch.base.errors import InputError, Unavailable
from xenwatch.cli._client import Running
from xenwatch.config.listeners import socket_of
from xenwatch.config.sections import WebSettings


class Agent(BaseHTTPRequestHandler):
    """Says over what it was asked."""

    def do_GET(self) -> None:
        where = b"tcp" if self.server.address_family == socket.AF_INET else b"socket"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"over": "%s", "path": "%s"}' % (where, self.path.encode()))

    def do_POST(self) -> None:
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b'{"error": "over TCP this needs a token"}')

    def address_string(self) -> str:
        return "local"

    def log_message(self, *_words: object) -> None:
        pass


class OnSocket(HTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)


@pytest.fixture
def config(tmp_path: Path):
    """A configuration whose TCP address an agent answers at."""
    server = HTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "xenwatch.toml"
    path = Path(os.path.relpath(tmp_path / "api.sock"))
    file.write_text(f'[web]\nlisten = "127.0.0.1:{server.server_port}"\nsocket = "{path}"\n')
    yield file, path
    server.shutdown()
    server.server_close()


def test_a_command_asks_over_the_socket_where_one_answers(config):
    file, path = config
    server = OnSocket(os.fspath(path), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    running = Running(None, file)
    assert running.get("/api/v1/status?x=1") == {"over": "socket", "path": "/api/v1/status?x=1"}
    server.shutdown()
    server.server_close()
    assert running.get("/healthz")["over"] == "tcp", "the socket of an agent that is gone refuses"


def test_a_command_asks_over_tcp_where_there_is_no_socket(config):
    assert Running(None, config[0]).get("/healthz")["over"] == "tcp"


def test_what_tcp_refuses_is_told_with_the_way_out(config):
    with pytest.raises(InputError, match="over TCP this needs a token"):
        Running(None, config[0]).acknowledge("v-web", "anna")


def test_an_agent_that_is_named_by_its_address_is_asked_there(config):
    with pytest.raises(Unavailable):
        Running("http://127.0.0.1:1", None).get("/healthz")


def test_each_agent_of_a_machine_has_a_socket_of_its_own_by_its_port():
    assert socket_of(WebSettings()) == Path("/run/xenwatch/api-10197.sock")
    assert socket_of(WebSettings(listen=("127.0.0.1", 10198))) == Path("/run/xenwatch/api-10198.sock")
    assert socket_of(WebSettings(listen=("127.0.0.1", 0))) is None
    assert socket_of(WebSettings(socket="")) is None
