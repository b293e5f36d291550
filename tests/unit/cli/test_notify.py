"""`xenwatch notify`: who is told of what and when, and a test that arrives at a receiver."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenwatch.cli.main import cli


class _Receiver(BaseHTTPRequestHandler):
    """Takes what is posted to it, and nothing at `/refused`."""

    taken: list[Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append(body)
        self.send_response(403 if self.path == "/refused" else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    taken: list[Any] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Receiver", (_Receiver,), {"taken": taken}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, config: str, *words: str) -> Result:
    file = folder / "xenwatch.toml"
    file.write_text(config)
    return CliRunner().invoke(cli, ["notify", *words, "--config", str(file)], prog_name="xenwatch")


def test_a_test_arrives_and_says_that_nothing_is_wrong(receiver: tuple[str, list[Any]], tmp_path: Path):
    url, taken = receiver
    said = run(tmp_path, f'[notify.ticket]\nwebhook = "{url}/hook"\n', "test")
    assert (said.exit_code, said.stdout) == (0, "ticket: delivered\n")
    (body,) = taken
    assert (body["reason"], body["severity"], body["incidents"]) == ("test", "info", [])
    assert "Nothing is wrong" in body["body"]


def test_one_destination_that_refuses_is_named_and_the_others_are_tried_all_the_same(
    receiver: tuple[str, list[Any]], tmp_path: Path
):
    url, taken = receiver
    config = f'[notify.bad]\nwebhook = "{url}/refused"\n[notify.good]\nwebhook = "{url}/hook"\n'
    said = run(tmp_path, config, "test")
    assert said.exit_code == 1
    assert "good: delivered" in said.stdout
    assert "bad: webhook: 127.0.0.1 answered 403" in said.stderr
    assert len(taken) == 2
    assert run(tmp_path, config, "test", "good").exit_code == 0


def test_the_list_says_what_each_is_for_and_when_it_is_told(tmp_path: Path):
    config = """[notify.pager]
program = ["/bin/true"]
severity = "critical"
resolved = false
[notify.night]
webhook = "https://tickets.example/hook"
classes = ["storage-*"]
quiet = "22:00-07:00"
repeat_every = "1h"
"""
    said = run(tmp_path, config, "list").stdout.splitlines()
    assert "pager: program; from critical on; together after 30s, again every 4h, not when it is over" in said
    (night,) = [line for line in said if line.startswith("night: webhook; ")]
    assert "only storage-*; together after 30s, again every 1h, and when it is over" in night
    assert night.endswith("quiet from 22:00 to 07:00 but for what is critical")


def test_without_a_destination_and_with_a_wrong_name_it_says_what_to_write(tmp_path: Path):
    assert "has no [notify.NAME] table" in str(run(tmp_path, "", "test").exception)
    said = run(tmp_path, '[notify.mail]\nprogram = ["/bin/true"]\n', "test", "mial")
    assert str(said.exception) == "there is no [notify.mial]; there are: mail"
