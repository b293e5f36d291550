"""README's walk through the demo, as a person types it: something breaks, is explained, and repaired with consent."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
AGENT = (sys.executable, "-m", "xenwatch.cli.main", "agent", "--demo")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def names_in(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


class Demo:
    """A running demo and a shell beside it."""

    def __init__(self, process: subprocess.Popen[str], banner: str) -> None:
        self.process, self.banner = process, banner
        self.folder = Path(re.findall(r"first:  \. (\S+)/env", banner)[0])
        self.url = re.findall(r"(http://\S+?)/ ", banner)[0]

    def type(self, words: str, answer: str = "") -> str:
        """What a person's shell prints that has read the file of the banner."""
        script = f". {self.folder}/env; {words}"
        done = subprocess.run(
            ("/bin/sh", "-c", script),
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=ENVIRONMENT,
        )
        return done.stdout + done.stderr

    def until(self, words: str, holds: Callable[[str], bool]) -> str:
        """Type it until the output is what the walk says; the deadline only ends a test that has failed."""
        deadline = time.monotonic() + 120
        while not holds(said := self.type(words)):
            assert time.monotonic() < deadline, said
            time.sleep(0.5)
        return said

    def ask(self, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
        token = re.findall(r"XENWATCH_TOKEN=(\S+)", (self.folder / "env").read_text())[0]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.loads(answer.read()))


@contextmanager
def demo(*options: str, place: str) -> Iterator[Demo]:
    """At any port, with the compiled rules of the tests before."""
    process = subprocess.Popen(
        (*AGENT, *own(CACHE), "--listen", "127.0.0.1:0", *options),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**ENVIRONMENT, "TMPDIR": place},
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C ends it"):
                break
        yield Demo(process, "".join(lines))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()


CACHE = Path(tempfile.gettempdir()) / f"xw-demo-rules-{os.getuid()}"


def own(cache: Path) -> tuple[str, str]:
    """A configuration file for the demo, which honours it."""
    cache.mkdir(exist_ok=True)
    config = cache / "own.toml"
    config.write_text(f'[diagnosis]\ncache_dir = "{cache}"\n')
    return "--config", str(config)


@pytest.fixture
def place() -> Iterator[str]:
    """A short one: sockets below it."""
    with tempfile.TemporaryDirectory(prefix="xw-") as folder:
        yield folder


@pytest.mark.timeout(400)
def test_the_walk_of_the_readme(place: str) -> None:
    with demo(place=place) as run:
        assert "Domain-0" in run.type("xl list")
        listed = run.until("xenwatch incidents list", lambda said: "xenbr1" in said and "shop" in said)
        web = re.findall(r"^([0-9a-f]{12}) .*domain/web", listed, re.MULTILINE)[0]
        assert "Could not find bridge device xenbr1" in run.type(f"xenwatch incidents show {web}")

        waiting = run.until("xenwatch remediation list", lambda said: "awaiting_approval" in said)
        number = waiting.split()[0]
        assert "domain_start on domain/shop" in waiting
        assert "shop " not in run.type("xl list")
        assert "xl create /etc/xen/shop.cfg" in run.type(f"xenwatch remediation show {number}")
        assert "approved" in run.type(f"xenwatch remediation approve {number}", "y\n")

        run.until(f"xenwatch remediation show {number}", lambda said: "succeeded" in said)
        assert "shop " in run.type("xl list")
        record = run.type("xenwatch audit")
        assert "verifying -> succeeded" in record
        assert "shop runs and answers icmp" in record
        run.until("xenwatch remediation list --all", lambda said: "vif_reattach on domain/db  L1  succeeded" in said)
    assert names_in(place) == []


@pytest.mark.timeout(200)
def test_a_proposal_is_approved_through_the_api(place: str) -> None:
    with demo(place=place) as run:
        run.until("xenwatch remediation list", lambda said: "awaiting_approval" in said)
        (waiting,) = [r for r in run.ask("/api/v1/remediation/runs")["runs"] if r["state"] == "awaiting_approval"]  # type: ignore[attr-defined]
        run.ask(f"/api/v1/remediation/runs/{waiting['id']}/approve", {"plan_hash": waiting["plan_hash"]})
        run.until("xl list", lambda said: "shop " in said)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_ends_it_and_leaves_nothing_behind(place: str, number: signal.Signals) -> None:
    with demo(place=place) as run:
        assert len(names_in(place)) == 1
        run.process.send_signal(number)
        run.process.send_signal(signal.SIGTERM)  # a second one does not cut the end short
        run.process.wait(60)
    assert names_in(place) == []


@pytest.mark.timeout(200)
def test_a_signal_while_it_starts_leaves_nothing_behind(place: str) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            (*AGENT, *own(CACHE), "--listen", "127.0.0.1:0"),
            env={**ENVIRONMENT, "TMPDIR": place},
            stderr=subprocess.DEVNULL,
        )
        while not names_in(place):
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(60) != 0
        assert names_in(place) == []


@pytest.mark.timeout(200)
def test_a_port_that_is_taken_is_said(place: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        argv = (*AGENT, *own(CACHE), "--listen", address)
        done = subprocess.run(
            argv, text=True, capture_output=True, timeout=100, check=False, env={**ENVIRONMENT, "TMPDIR": place}
        )
        assert done.returncode == 2
        assert address.partition(":")[2] in done.stderr
        assert "in use" in done.stderr
        config = Path(place) / "own.toml"
        config.write_text(f'[web]\nlisten = "{address}"\n')
        done = subprocess.run(
            (*AGENT, "--config", str(config)),
            text=True,
            capture_output=True,
            timeout=100,
            check=False,
            env={**ENVIRONMENT, "TMPDIR": place},
        )
        assert "in use" in done.stderr  # the file was read
    assert names_in(place) == ["own.toml"]
