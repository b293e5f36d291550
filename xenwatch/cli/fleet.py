"""`xenwatch fleet`: which runs hold the fleet's budget, and freeing one that did not succeed."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from xenwatch.base.errors import InputError
from xenwatch.base.printed_text import one_line
from xenwatch.cli._options import CONFIG
from xenwatch.config.fleet_member import etcd_access
from xenwatch.config.loader import load_config
from xenwatch.fleet.etcd import EtcdClient
from xenwatch.fleet.slots import free_slot, held_slots

T = TypeVar("T")


@click.group(short_help="See which runs hold the fleet's budget; free one that failed.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Show and free the slots of the fleet's budget. A run keeps its slot until it is known to have succeeded.

    \b
    Examples:
      xenwatch fleet show
      xenwatch fleet free 018bcfe5
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command()
@CONFIG
def show(config: Path | None) -> None:
    """List the slots that are held."""
    for slot in _ask(config, held_slots):
        click.echo(one_line(f"{slot.number}  {slot.action} of {slot.target} on {slot.host}  run {slot.run}"))


@COMMAND.command()
@CONFIG
@click.argument("run")
def free(config: Path | None, run: str) -> None:
    """Free the slot of a run that did not succeed, after a person has looked at it."""
    slot = _ask(config, lambda client: free_slot(client, run))
    if slot is None:
        raise InputError(f"{run}: not exactly one run that holds a slot has an id that begins like this")
    click.echo(one_line(f"The slot of run {slot.run} ({slot.action} of {slot.target} on {slot.host}) is free."))


def _ask(config: Path | None, work: Callable[[EtcdClient], Awaitable[T]]) -> T:
    settings = load_config(config, dict(os.environ)).config.fleet
    if not settings.etcd:
        raise InputError("no etcd is configured: set [fleet] etcd, or XENWATCH_FLEET_ETCD")

    async def run() -> T:
        client = EtcdClient(etcd_access(settings))
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())
