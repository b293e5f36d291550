"""`xenwatch hub`: what many hosts have in common as one incident, until stopped."""

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

import click
from aiohttp import web

from xenwatch.base.atomic_file import write_atomically
from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.cli._options import CONFIG
from xenwatch.config.fleet_member import etcd_access, member_name
from xenwatch.config.loader import load_config
from xenwatch.config.sections import FleetSettings
from xenwatch.config.settings import LISTEN, show_address
from xenwatch.fleet.etcd import EtcdClient
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_web import hub_app
from xenwatch.fleet.rule import fleet_rules
from xenwatch.web.server.loopback import is_loopback

_DEFAULT = "127.0.0.1:10198"
_TARGETS_EVERY = 1.0

log = logging.getLogger(__name__)


def _loopback(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, int]:
    try:
        address = LISTEN.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if not is_loopback(address[0]):
        raise click.BadParameter("only the loopback: a hub asks nobody who he is; put a proxy with TLS before it")
    return address


@click.command(short_help="See what many hosts have in common, as one incident.")
@CONFIG
@click.option(
    "--listen", metavar="ADDRESS:PORT", default=_DEFAULT, show_default=True, callback=_loopback, help="Listen here."
)
@click.option(
    "--file-sd", type=click.Path(path_type=Path, dir_okay=False), help="Keep the hosts in this file of targets."
)
def COMMAND(config: Path | None, listen: tuple[str, int], file_sd: Path | None) -> None:  # noqa: N802 - the registry's name
    """Follow the incidents of all hosts in etcd until stopped (SIGTERM, Ctrl-C), and serve what they have in common.

    Run two or more on different machines: one is elected, the others take over when it dies. The addresses of etcd
    stand in [fleet] of the configuration. Prometheus finds the hosts at /fleet/targets (http_sd) or in the file that
    --file-sd names, which is replaced whole when they change.

    \b
    Examples:
      xenwatch hub
      XENWATCH_FLEET_ETCD=http://127.0.0.1:2379 xenwatch hub --listen 127.0.0.1:10198
      xenwatch hub --file-sd /etc/prometheus/targets/xenwatch.json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    settings = load_config(config, dict(os.environ)).config.fleet
    if not settings.etcd:
        raise InputError("no etcd is configured: set [fleet] etcd, or XENWATCH_FLEET_ETCD")
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    asyncio.run(_run(settings, listen, file_sd))


async def _run(settings: FleetSettings, listen: tuple[str, int], file_sd: Path | None) -> None:
    access = etcd_access(settings)
    name = f"{member_name(settings)}:{os.getpid()}"
    hub = Hub(name, lambda: EtcdClient(access), fleet_rules(), SystemClock())
    runner = web.AppRunner(hub_app(hub), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, *listen).start()
        click.echo(f"xenwatch hub: http://{show_address(listen)}/", err=True)
        await _until_stopped(hub, file_sd)
    except OSError as error:
        raise InputError(f"cannot listen on {show_address(listen)}: {error.strerror or error}") from None
    finally:
        await runner.cleanup()


async def _until_stopped(hub: Hub, file_sd: Path | None) -> None:
    running = asyncio.create_task(hub.run())
    keeping = asyncio.create_task(_keep_targets(hub, file_sd)) if file_sd is not None else None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    await asyncio.wait([running])
    if keeping is not None:
        keeping.cancel()
    if not running.cancelled():
        running.result()


async def _keep_targets(hub: Hub, path: Path) -> None:
    """While etcd is not seen the file stays as it is: what is not known is not gone."""
    written = b""
    while True:
        text = f"{json.dumps(hub.targets.listed(), indent=2)}\n".encode()
        if hub.view.is_current and text != written:
            try:
                await asyncio.to_thread(write_atomically, path, text, 0o644)
                written = text
            except OSError as error:
                log.error("%s cannot be written: %s", path, error.strerror or error)  # noqa: TRY400 - words for the administrator
        await asyncio.sleep(_TARGETS_EVERY)
