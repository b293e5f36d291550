"""Debian's Prometheus and Alertmanager, and an agent, as real processes on free loopback ports."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from monitoring import tools

from xenwatch.diagnosis.ruleset import cache_folder

_START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(log: Path, ready: str, *argv: str) -> AsyncIterator[None]:
    """Runs beside the test, from when `ready` answers, and is ended with it; what it says goes to a file."""
    with log.open("wb") as said:
        child = await asyncio.create_subprocess_exec(
            *argv, stdout=said, stderr=said, env={**os.environ, "GOMAXPROCS": "1"}
        )
    try:
        await _answers(ready, child, log)
        yield
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), 20)
        except TimeoutError:
            child.kill()
            await child.wait()


async def _answers(url: str, child: asyncio.subprocess.Process, log: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(_START_SECONDS):
        while True:
            assert child.returncode is None, f"{url} never answered: {log}"
            with suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 60.0, every: float = 0.1) -> Any:
    """The first true answer."""
    async with asyncio.timeout(seconds):
        while not (found := await holds()):  # noqa: ASYNC110 - other processes are waited for
            await asyncio.sleep(every)
        return found


@asynccontextmanager
async def prometheus(
    folder: Path, targets: Mapping[str, list[str] | dict[str, Any]], *, rules: Path, alertmanager: int | None = None
) -> AsyncIterator[str]:
    """Its URL. It scrapes `targets` (by job) and looks at the rules of a folder every second.

    A job with a mapping instead of addresses finds them by what the mapping says.
    """
    port, folder = free_port(), folder / "prometheus"
    folder.mkdir()
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{rules}/*.yaml"],
        "scrape_configs": [
            {"job_name": job, **(where if isinstance(where, dict) else {"static_configs": [{"targets": where}]})}
            for job, where in targets.items()
        ],
    }
    if alertmanager is not None:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    argv = (
        tools.tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        # Prometheus knows of Alertmanager some seconds after its start, and sends again only after a minute.
        f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s",
    )  # fmt: skip
    async with process(folder / "log", f"http://127.0.0.1:{port}/-/ready", *argv):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def alertmanager(folder: Path, config: dict[str, Any]) -> AsyncIterator[int]:
    """Its port."""
    port, folder = free_port(), folder / "alertmanager"
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    argv = (
        *tools.alertmanager(), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    )  # fmt: skip
    async with process(folder / "log", f"http://127.0.0.1:{port}/-/ready", *argv):
        yield port


@asynccontextmanager
async def agent(folder: Path, more: str = "") -> AsyncIterator[tuple[str, Path]]:
    """A real agent over libvirt's test driver: its address, and the folder of the logs that it follows.

    `more`: sections of its configuration.
    """
    port, logs = free_port(), folder / "log"
    logs.mkdir()
    settings = folder / "xenwatch.toml"
    settings.write_text(
        f'[agent]\nstate_dir = "{folder}/state"\n[logs]\npaths = ["{logs}/*.log"]\n'
        f'[sampling]\nlibvirt_uri = "test:///default"\n[diagnosis]\ncache_dir = "{cache_folder()}"\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\n{more}'
    )
    argv = (sys.executable, "-m", "xenwatch.cli.main", "agent", "--config", str(settings))
    async with process(folder / "agent", f"http://127.0.0.1:{port}/readyz", *argv):
        yield f"127.0.0.1:{port}", logs


async def query(url: str, expression: str, **parameters: str) -> list[dict[str, Any]]:
    """What Prometheus answers just now; its refusal is a failure of the test."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url}/api/v1/query", params={"query": expression, **parameters}) as answer,
    ):
        said = await answer.json()
    assert said["status"] == "success", f"{expression}: {said.get('error')}"
    found: list[dict[str, Any]] = said["data"]["result"]
    return found
