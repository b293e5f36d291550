"""`xenwatch incidents`: what is wrong on the host that the agent watches."""

import getpass
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from xenwatch.base.errors import Unavailable
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, FORMAT, URL
from xenwatch.cli.report.format import printable
from xenwatch.cli.report.incident_text import table, whole

_MOST_WIDTH = 160


@click.group(short_help="What is wrong on the host that the agent watches.", invoke_without_command=True)
@CONFIG
@URL
@click.pass_context
def COMMAND(context: click.Context, config: Path | None, url: str | None) -> None:  # noqa: N802 - the registry's name
    """List, show, watch and acknowledge incidents; without a further word: list.

    The running agent is asked; where none answers, its state database is read (except by acknowledge).

    \b
    Examples:
      xenwatch incidents
      xenwatch incidents list --all
      xenwatch incidents show 9c9708c7
      xenwatch incidents watch
      xenwatch incidents acknowledge 9c9708c7 --by anna
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if context.invoked_subcommand is None:
        context.invoke(list_, config=config, url=url)
    # where the agent is may be said before the word as well as behind it
    context.default_map = {str(context.invoked_subcommand): {"config": config, "url": url}}


@COMMAND.command("list")
@CONFIG
@URL
@FORMAT
@click.option("--all", "everything", is_flag=True, help="Explained and resolved ones too.")
def list_(config: Path | None, url: str | None, form: str, everything: bool) -> None:
    """Incidents, the most likely root cause first. Exit code 1 when one is open, 0 when none is."""
    found, origin = Running(url, config).incidents()
    shown = found if everything else [one for one in found if one["state"] == "open"]
    if form == "json":
        click.echo(json.dumps({"version": 1, "incidents": shown}, indent=2))
    elif shown:
        click.echo("\n".join(table(shown, _width())))
    else:
        click.echo("no incidents" if everything else f"nothing is open ({len(found)} explained or resolved: --all)")
    if not origin.startswith("http"):
        click.echo(origin, err=True)
    sys.exit(any(one["state"] == "open" for one in found))


@COMMAND.command()
@click.argument("incident")
@CONFIG
@URL
@FORMAT
def show(incident: str, config: Path | None, url: str | None, form: str) -> None:
    """One incident whole: cause, evidence, what to check, what to do, history. The start of its id will do."""
    found = Running(url, config).incident(incident)
    click.echo(json.dumps(found, indent=2) if form == "json" else "\n".join(whole(found, _width())))


@COMMAND.command()
@click.argument("incident")
@click.option("--by", "who", help="Who looks after it; default: you.")
@CONFIG
@URL
def acknowledge(incident: str, who: str | None, config: Path | None, url: str | None) -> None:
    """Say that a person looks after an incident."""
    found = Running(url, config).acknowledge(incident, who or getpass.getuser())
    click.echo(f"{found['id']}: {printable(found['title'])}: {printable(found['acknowledged_by'])} looks after it")


@COMMAND.command()
@CONFIG
@URL
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.2), help="Seconds between two looks.")
def watch(config: Path | None, url: str | None, every: float) -> None:
    """Print each change as it comes, until Ctrl-C."""
    follow(Running(url, config).incidents, lambda: time.sleep(every))


def follow(look: Callable[[], tuple[list[dict[str, Any]], str]], pause: Callable[[], None]) -> None:
    """Print what is open, then every change; an agent that is away for a while is waited for."""
    seen: dict[str, tuple[Any, ...]] = {}
    away = False
    while True:
        try:
            found, _ = look()
        except Unavailable as error:
            if not away:
                click.echo(str(error), err=True)
            away = True
        else:
            away = False
            for one in reversed(found):
                told = (one["state"], one["severity"], one["acknowledged_by"], one["explained_by"])
                if seen.get(one["id"]) != told and (one["id"] in seen or one["state"] == "open"):
                    click.echo(table([one], _width())[1])
                seen[one["id"]] = told
        pause()


def _width() -> int:
    return min(shutil.get_terminal_size((120, 24)).columns, _MOST_WIDTH)
