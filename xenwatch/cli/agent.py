"""`xenwatch agent`: watch this host until stopped."""

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.agent.heap import share_one_arena
from xenwatch.base.clock import SystemClock
from xenwatch.cli._options import CONFIG
from xenwatch.config.loader import LoadedConfig, load_config
from xenwatch.config.sections import WebSettings
from xenwatch.config.settings import LISTEN, show_address
from xenwatch.demo.host import DemoHost, choose_address, run_with_story
from xenwatch.logs.files.descriptors import raise_limit

_URLS = (
    ("/", "start page with the open incidents"),
    ("/metrics", "metrics for Prometheus"),
    ("/api/v1/incidents", "incidents with their causes, as JSON"),
    ("/healthz", "health of the agent"),
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
@click.option(
    "--demo-dir",
    type=click.Path(path_type=Path),
    help="Keep the logs and state of the demo in this folder. Implies --demo.",
)
def COMMAND(config: Path | None, listen: tuple[str, int] | None, demo: bool, demo_dir: Path | None) -> None:  # noqa: N802 - the registry's name
    """Follow the logs, sample the domains, and serve metrics and incidents until stopped (SIGTERM, Ctrl-C).

    SIGHUP reads the configuration and the rules again. If there is a mistake in them, the old ones stay in force.

    \b
    Examples:
      xenwatch agent
      xenwatch agent --config ./xenwatch.toml --listen 127.0.0.1:10200
      xenwatch agent --demo
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    with ExitStack() as stack:
        if demo or demo_dir:
            folder = demo_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xenwatch-demo-")))
            _watch_demo(DemoHost(folder), listen)
        else:
            overrides = {"web.listen": listen} if listen else {}
            _watch(partial(load_config, config, dict(os.environ), overrides), None)


def _watch_demo(host: DemoHost, listen: tuple[str, int] | None) -> None:
    """The demo is the same everywhere: neither the configuration file nor the environment changes it."""
    host.prepare()
    settings = host.settings(listen or choose_address(WebSettings().listen))
    _watch(partial(load_config, overrides=settings, default_file=None), host)


def _watch(load: Callable[[], LoadedConfig], host: DemoHost | None) -> None:
    share_one_arena()
    raise_limit()
    loaded = load()
    # systemd adds the time itself; a terminal does not.
    form = "%(asctime)s %(levelname)s %(message)s" if sys.stderr.isatty() else "%(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=loaded.config.agent.log_level.upper(), format=form, stream=sys.stderr)
    asyncio.run(_run(loaded, load, host))


async def _run(loaded: LoadedConfig, load: Callable[[], LoadedConfig], host: DemoHost | None) -> None:
    clock, address = SystemClock(), loaded.config.web.listen[0]

    def started(port: int) -> None:
        _print_addresses(f"http://{show_address((address, port))}", loaded, host)

    agent = Agent(loaded, ExternalAccess(clock, load, dict(os.environ), started))
    await (agent.run() if host is None else run_with_story(agent, host, clock))


def _print_addresses(url: str, loaded: LoadedConfig, host: DemoHost | None) -> None:
    rows = [(url + path, meaning) for path, meaning in _URLS]
    if host is not None:
        rows.insert(0, (f"{host.logs}/", "logs of the simulated host, on which things go wrong now"))
        rows.append((f"xenwatch incidents list --url {url}", "the incidents in a terminal"))
    rows.append((str(loaded.config.agent.state_dir), "state of the agent; Ctrl-C stops it"))
    width = max(len(place) for place, _ in rows)
    click.echo("\n".join(["xenwatch is watching.", *(f"  {place:<{width}}  {meaning}" for place, meaning in rows)]))
