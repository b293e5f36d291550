"""`xenwatch top`: the domains live, with their incidents."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError, Unavailable
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, URL

if TYPE_CHECKING:
    from xenwatch.cli._top.sources import TopSource


@click.command(short_help="Show the domains live, as xentop does, with their incidents.")
@CONFIG
@URL
@click.option(
    "--every", default=3.0, show_default=True, type=click.FloatRange(0.5), help="Seconds between two updates."
)
@click.option("--alone", is_flag=True, help="Sample the host itself, even if an agent runs.")
def COMMAND(config: Path | None, url: str | None, every: float, alone: bool) -> None:  # noqa: N802 - the registry's name
    """Show the domains with state, cpu, memory, network and disk, and the open incidents below them.

    The numbers come from the running agent. If no agent answers, the host itself is sampled. Keys: c m n d i a sort by
    cpu, memory, network, disk, incidents, name; r reverses the order; enter shows an incident; p pauses; space updates
    now; q quits.

    \b
    Examples:
      xenwatch top
      xenwatch top --every 1 --alone
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if not sys.stdout.isatty():
        raise InputError("top needs a terminal; in scripts use xenwatch status --format json, or /metrics")
    asyncio.run(_run(config, url, every, alone=alone))


async def _run(config: Path | None, url: str | None, every: float, *, alone: bool) -> None:
    from xenwatch.cli._top.app import TopApp  # noqa: PLC0415 (Textual is not loaded for the help of other commands)

    source = await _source(config, url, alone=alone)
    try:
        await TopApp(source, every).run_async()
    finally:
        await source.close()


async def _source(config: Path | None, url: str | None, *, alone: bool) -> "TopSource":
    from xenwatch.cli._top.sources import AgentSource, HostSource  # noqa: PLC0415
    from xenwatch.config.loader import load_config  # noqa: PLC0415
    from xenwatch.host.host import open_host  # noqa: PLC0415

    running = Running(url, config)
    if not alone:
        try:
            await asyncio.to_thread(running.get, "/api/v1/incidents?limit=1")
        except Unavailable:
            if url:
                raise
        else:
            return AgentSource(running)
    sampling = load_config(config, dict(os.environ)).config.sampling
    host = open_host(
        SystemClock(), libvirt_uri=sampling.libvirt_uri or None, ssh=sampling.ssh, simulated=sampling.simulated
    )
    return HostSource(host, running.incidents)
