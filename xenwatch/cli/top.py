"""`xenwatch top`: the domains live, with their incidents."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from itertools import count
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
    "-d",
    "--every",
    "--delay",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0.5),
    help="Seconds between two updates.",
)
@click.option("-b", "--batch", is_flag=True, help="Print the columns of `xentop -b` instead of opening the screen.")
@click.option("-i", "--iterations", type=click.IntRange(1), help="End after so many updates (with --batch or --json).")
@click.option("-f", "--full-name", is_flag=True, help="Do not cut long names (with --batch).")
@click.option("--json", "as_json", is_flag=True, help="Print each update as one line of JSON, incidents included.")
@click.option("--alone", is_flag=True, help="Sample the host itself, even if an agent runs.")
def COMMAND(  # noqa: N802 - the registry's name
    config: Path | None,
    url: str | None,
    every: float,
    batch: bool,
    iterations: int | None,
    full_name: bool,
    as_json: bool,
    alone: bool,
) -> None:
    """Show the domains with state, cpu, memory, network and disk, and the open incidents below them.

    The numbers come from the running agent. If no agent answers, the host itself is sampled. Keys: ? lists them all; s
    sorts by the next column; V, B, N show vcpus, disks, networks; enter opens a guest or an incident; q quits.

    \b
    Examples:
      xenwatch top
      xenwatch top --every 1 --alone
      xenwatch top -b -i 2 -d 5          # in place of xentop -b -i 2 -d 5
      xenwatch top --json -i 1
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if batch or as_json:
        asyncio.run(
            _print(config, url, BatchRun(every, iterations, full_names=full_name, as_json=as_json), alone=alone)
        )
        return
    if not sys.stdout.isatty():
        raise InputError("top needs a terminal; in scripts use xenwatch top --batch, or --json")
    asyncio.run(_run(config, url, every, alone=alone))


@dataclass(frozen=True, slots=True)
class BatchRun:
    """How `--batch` and `--json` print. `iterations` None: until interrupted."""

    every: float
    iterations: int | None
    full_names: bool
    as_json: bool


async def _print(config: Path | None, url: str | None, how: BatchRun, *, alone: bool) -> None:
    from xenwatch.cli._top.batch import batch_json, batch_lines  # noqa: PLC0415
    from xenwatch.cli._top.frame import rows  # noqa: PLC0415

    source = await _source(config, url, alone=alone)
    try:
        before = now = await source.read()
        for number in count(1):
            table = rows(now, before)
            if how.as_json:
                click.echo(json.dumps(batch_json(now, table)))
            else:
                click.echo("\n".join(batch_lines(now, table, full_names=how.full_names)))
            if now.error and number == 1:
                click.echo(f"not all could be read: {now.error}", err=True)
            if number == how.iterations:
                return
            await asyncio.sleep(how.every)
            latest = await source.read()
            if latest.taken("domain") != now.taken("domain"):
                before = now
            now = latest
    finally:
        await source.close()


async def _run(config: Path | None, url: str | None, every: float, *, alone: bool) -> None:
    from xenwatch.cli._top.app import TopApp  # noqa: PLC0415 (Textual is not loaded for the help of other commands)

    source = await _source(config, url, alone=alone)
    try:
        await TopApp(source, every).run_async()
    finally:
        await source.close()


async def _source(config: Path | None, url: str | None, *, alone: bool) -> "TopSource":
    from xenwatch.cli._top.sources import AgentSource, HostSource  # noqa: PLC0415
    from xenwatch.config.assembly import ways_to  # noqa: PLC0415
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
    host = open_host(SystemClock(), **ways_to(sampling))
    return HostSource(host, running.incidents)
