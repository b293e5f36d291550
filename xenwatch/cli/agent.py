"""`xenwatch agent`: watch this host until stopped."""

import asyncio
import atexit
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import click

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.agent.heap import share_one_arena
from xenwatch.agent.signals import ended_by_signals
from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.base.json_log import JsonFormatter
from xenwatch.cli._options import CONFIG
from xenwatch.config.loader import LoadedConfig, load_config
from xenwatch.config.settings import LISTEN, show_address
from xenwatch.demo.host import DemoHost, choose_address, is_free
from xenwatch.demo.pool.demo import NAME, DemoPool
from xenwatch.logs.files.descriptors import raise_limit

log = logging.getLogger(__name__)

_URLS = (
    ("/", "start page with the open incidents"),
    ("/metrics", "metrics for Prometheus"),
    ("/api/v1/incidents", "incidents with their causes, as JSON"),
    ("/healthz", "health of the agent"),
)
_DEMO_COMMANDS = (
    ("xenwatch incidents list", "what is wrong, and why"),
    ("xenwatch top", "the domains, live"),
    ("xl list", "what the simulated host itself says"),
    ("xenwatch remediation list", "after a minute: what is repaired, and what waits for your consent"),
)


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    try:
        return LISTEN.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="Watch this host: follow its logs, sample it, report incidents.")
@CONFIG
@click.option("--listen", metavar="ADDRESS:PORT", callback=_address, help="Listen here instead of at [web] listen.")
@click.option("--demo", is_flag=True, help="Watch a simulated host on which things go wrong. Needs no Xen.")
@click.option("--demo-pool", is_flag=True, help="Watch a pretend pool of XCP-ng beside it. Implies --demo.")
@click.option(
    "--demo-dir",
    type=click.Path(path_type=Path),
    help="Keep the logs and state of the demo in this folder. Implies --demo.",
)
def COMMAND(  # noqa: N802 - the registry's name
    config: Path | None, listen: tuple[str, int] | None, demo: bool, demo_pool: bool, demo_dir: Path | None
) -> None:
    """Follow the logs, sample the domains, and serve metrics and incidents until stopped (SIGTERM, Ctrl-C).

    SIGHUP reads the configuration and the rules again. If there is a mistake in them, the old ones stay in force.
    A demo ends at SIGHUP, as when its terminal is closed.

    \b
    Examples:
      xenwatch agent
      xenwatch agent --config ./xenwatch.toml --listen 127.0.0.1:10200
      xenwatch agent --demo
      xenwatch agent --demo-pool
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if demo or demo_pool or demo_dir:
        with ended_by_signals():
            folder = (demo_dir or _throwaway_folder()).absolute()
            host = DemoHost(folder, DemoPool(folder) if demo_pool else None)
            _watch_demo(host, config, listen, kept=demo_dir is not None)
    else:
        overrides = {"web.listen": listen} if listen else {}
        load = partial(load_config, config, dict(os.environ), overrides)
        loaded = load()
        _prepare_process(loaded)
        asyncio.run(_run(loaded, load))


def _throwaway_folder() -> Path:
    """Removed at the very end: before that, threads that still compile may write to it."""
    folder = Path(mkdtemp(prefix="xenwatch-demo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _watch_demo(host: DemoHost, config: Path | None, listen: tuple[str, int] | None, *, kept: bool) -> None:
    """A configuration file that is named is honoured; neither the one of this machine nor the environment is."""
    host.prepare()
    load = partial(_load_demo, host, config, listen)
    loaded = load()
    if not is_free(loaded.config.web.listen):
        address = show_address(loaded.config.web.listen)
        raise InputError(f"{address} cannot be listened on: it is in use or no address of this machine; see --listen")
    _prepare_process(loaded)
    asyncio.run(_run_demo(loaded, load, host, kept=kept))


def _load_demo(host: DemoHost, config: Path | None, listen: tuple[str, int] | None) -> LoadedConfig:
    given = load_config(config, default_file=None)
    overrides = {key: value for key, value in host.defaults().items() if given.origins[key] == "default"}
    overrides |= host.settings()
    if listen is not None:
        overrides["web.listen"] = listen
    elif given.origins["web.listen"] == "default":
        overrides["web.listen"] = choose_address(given.config.web.listen)
    return load_config(config, overrides=overrides, default_file=None)


def _prepare_process(loaded: LoadedConfig) -> None:
    share_one_arena()
    raise_limit()
    # systemd adds the time itself; a terminal does not.
    form = "%(asctime)s %(levelname)s %(message)s" if sys.stderr.isatty() else "%(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=loaded.config.agent.log_level.upper(), format=form, stream=sys.stderr)
    if loaded.config.agent.log_format == "json":
        logging.getLogger().handlers[0].setFormatter(JsonFormatter())


async def _run(loaded: LoadedConfig, load: Callable[[], LoadedConfig]) -> None:
    address = loaded.config.web.listen[0]

    def started(port: int) -> None:
        if loaded.config.agent.log_format == "json":
            log.info("watching; the metrics are at http://%s/metrics", show_address((address, port)))
            return
        rows = _addresses(f"http://{show_address((address, port))}")
        rows.append((str(loaded.config.agent.state_dir), "state of the agent; Ctrl-C stops it"))
        click.echo("\n".join(["xenwatch is watching.", *_table(rows)]))

    await Agent(loaded, ExternalAccess(SystemClock(), load, dict(os.environ), started)).run()


async def _run_demo(loaded: LoadedConfig, load: Callable[[], LoadedConfig], host: DemoHost, *, kept: bool) -> None:
    clock, (address, wanted) = SystemClock(), loaded.config.web.listen

    def started(port: int) -> None:
        host.describe(loaded, port)
        url = f"http://{show_address((address, port))}"
        click.echo("\n".join(_demo_banner(host, url, moved=wanted == 0, kept=kept)))

    async with host.running(clock):
        await Agent(loaded, ExternalAccess(clock, load, {}, started, hangup_ends=True)).run()


def _demo_banner(host: DemoHost, url: str, *, moved: bool, kept: bool) -> Iterator[str]:
    """Where to look, and what to type so that it works."""
    yield "xenwatch is watching a simulated Xen host, on which things break, are explained, and heal."
    if host.pool is not None:
        yield f"Beside it, a pretend pool of XCP-ng: its hosts, repositories and tasks are at {url}/pools/{NAME}"
    if moved:
        yield f"The usual port is taken, perhaps by another agent; the demo is at {url}/"
    yield from _table([*_addresses(url), (f"{host.logs}/", "logs of the simulated host")])
    yield f"In another terminal, first:  . {host.env}"
    yield "Then, for example:"
    yield from _table(_DEMO_COMMANDS)
    yield "Ctrl-C ends it" + (f"; {host.folder} stays." if kept else f" and removes {host.folder}.")


def _addresses(url: str) -> list[tuple[str, str]]:
    return [(url + path, meaning) for path, meaning in _URLS]


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(place) for place, _ in rows)
    return [f"  {place:<{width}}  {meaning}" for place, meaning in rows]
