"""An HTTP server that answers as the agent's API does, for the commands that ask a running agent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Agent(BaseHTTPRequestHandler):
    """Answers with what the test put into `answers`; keeps what was sent."""

    answers: dict[str, tuple[int, Any]]
    sent: list[tuple[str, Any]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.sent.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self._answer()

    def _answer(self) -> None:
        code, body = self.answers.get(self.path, (404, {"error": "no such thing"}))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    def log_message(self, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture
def agent() -> Iterator[tuple[str, type[Agent]]]:
    """Its address, and the class that holds the answers: JSON, or text as it is."""
    handler = type("Answers", (Agent,), {"answers": {}, "sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()
