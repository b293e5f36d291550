"""`xenwatch notify`: the destinations of notifications, and a test of each."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from xenwatch.base.durations import format_duration
from xenwatch.base.errors import InputError
from xenwatch.base.printed_text import one_line
from xenwatch.cli._options import CONFIG
from xenwatch.config.loader import load_config
from xenwatch.config.notify import routes_of
from xenwatch.notify.message import trial_message
from xenwatch.notify.notifications import deliver
from xenwatch.notify.route import Route
from xenwatch.notify.senders import Undelivered


@click.group(short_help="List the destinations of notifications, and test them.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Show who is told of incidents without Alertmanager, and send a test.

    Destinations are the [notify.NAME] tables of the configuration; see docs/notifications.md.

    \b
    Examples:
      xenwatch notify list
      xenwatch notify test
      xenwatch notify test mail
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command("list")
@CONFIG
def list_(config: Path | None) -> None:
    """List the destinations and what each is for."""
    for route in _routes(config, ()):
        ways = ", ".join(sender.kind for sender in route.senders)
        only = [*route.classes, *route.subjects]
        what = f"from {route.severity} on" + (f", only {', '.join(only)}" if only else "")
        click.echo(f"{route.name}: {ways}; {what}; {', '.join(_pace(route))}")


def _pace(route: Route) -> Iterator[str]:
    """When it is told, in words."""
    if route.group_for:
        yield f"together after {format_duration(route.group_for)}"
    yield f"again every {format_duration(route.repeat_every)}" if route.repeat_every else "never again"
    yield "and when it is over" if route.resolved else "not when it is over"
    if route.quiet is not None:
        begin, end = (at.isoformat("minutes") for at in (route.quiet.begin, route.quiet.end))
        yield f"quiet from {begin} to {end} but for what is {route.quiet.unless}"


@COMMAND.command()
@CONFIG
@click.argument("names", nargs=-1)
def test(config: Path | None, names: tuple[str, ...]) -> None:
    """Send a test to the destinations with these NAMES, or to all.

    Exit code: 0 if every destination took it, 1 if one did not.
    """
    problems = asyncio.run(_try_all(_routes(config, names)))
    sys.exit(1 if problems else 0)


async def _try_all(routes: list[Route]) -> int:
    problems = 0
    for route in routes:
        try:
            await deliver(route, trial_message(socket.gethostname()))
        except Undelivered as error:
            problems += 1
            click.echo(one_line(f"{route.name}: {error}"), err=True)
        else:
            click.echo(f"{route.name}: delivered")
    return problems


def _routes(config: Path | None, names: tuple[str, ...]) -> list[Route]:
    loaded = load_config(config, dict(os.environ))
    routes = {route.name: route for route in routes_of(loaded.config.notify)}
    if not routes:
        raise InputError(f"{loaded.file or 'the configuration'} has no [notify.NAME] table; see docs/notifications.md")
    if unknown := [name for name in names if name not in routes]:
        raise InputError(f"there is no [notify.{unknown[0]}]; there are: {', '.join(routes)}")
    return [routes[name] for name in names or routes]
