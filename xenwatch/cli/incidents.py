"""`xenwatch incidents`: the incidents of the host that the agent watches."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from xenwatch.base.errors import Unavailable
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.cli._client import Running
from xenwatch.cli._complete import incident_ids
from xenwatch.cli._incident_remarks import REMARKS
from xenwatch.cli._options import CONFIG, FORMAT, URL
from xenwatch.cli._output import text_width
from xenwatch.cli.report.api_incident import incident_text
from xenwatch.cli.report.incident_table import table
from xenwatch.cli.report.incident_text import incident_lines

_STATUS = ("state", "severity", "acknowledged_by", "explained_by")
"""A change of one of these is worth a line."""


@click.group(short_help="List, show, watch and acknowledge incidents.", invoke_without_command=True)
@CONFIG
@URL
@click.pass_context
def COMMAND(context: click.Context, config: Path | None, url: str | None) -> None:  # noqa: N802 - the registry's name
    """List, show, watch and acknowledge incidents. Without a further command, list them.

    The incidents come from the running agent. If no agent answers, they come from its state database; only what
    changes an incident needs a running agent.

    \b
    Examples:
      xenwatch incidents
      xenwatch incidents list --all
      xenwatch incidents show 9c9708c7f606
      xenwatch incidents watch
      xenwatch incidents acknowledge 9c9708c7f606 --for 2h --reason "new disk ordered"
      xenwatch incidents wrong 9c9708c7f606 --reason "the switch was rebooted"
      xenwatch incidents verdicts --format json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if context.invoked_subcommand is None:
        context.invoke(list_, config=config, url=url)
    # --config and --url may stand before the next command as well as after it
    context.default_map = {str(context.invoked_subcommand): {"config": config, "url": url}}


for _command in REMARKS:
    COMMAND.add_command(_command)


@COMMAND.command("list")
@CONFIG
@URL
@FORMAT
@click.option("--all", "everything", is_flag=True, help="Show explained and resolved incidents too.")
def list_(config: Path | None, url: str | None, form: str, everything: bool) -> None:
    """List open incidents, the most likely root cause first.

    Exit code: 1 if an incident is open, 0 if none is.
    """
    incidents, origin = Running(url, config).incidents()
    opened = [incident for incident in incidents if incident["state"] == "open"]
    shown = incidents if everything else opened
    if form == "json":
        click.echo(json.dumps({"version": 1, "incidents": shown}, indent=2))
    elif shown:
        click.echo("\n".join(table(shown, text_width())))
    else:
        click.echo("There are no incidents." if everything else _nothing_open(len(incidents)))
    if not origin.startswith("http"):
        click.echo(origin, err=True)
    sys.exit(bool(opened))


@COMMAND.command()
@click.argument("incident", shell_complete=incident_ids)
@CONFIG
@URL
@FORMAT
def show(incident: str, config: Path | None, url: str | None, form: str) -> None:
    """Show one incident: cause, impact, evidence, how to verify and fix it, and its history.

    INCIDENT is an id, or the start of one that fits no other incident.
    """
    content = Running(url, config).incident(incident)
    if form == "json":
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo("\n".join(incident_lines(incident_text(content), text_width())))


@COMMAND.command()
@CONFIG
@URL
@click.option(
    "--every", default=2.0, show_default=True, type=click.FloatRange(0.2), help="Seconds between two requests."
)
def watch(config: Path | None, url: str | None, every: float) -> None:
    """Print each change as it happens, until you press Ctrl-C."""
    follow(Running(url, config).incidents, lambda: time.sleep(every))


def follow(read: Callable[[], tuple[list[dict[str, Any]], str]], pause: Callable[[], None]) -> None:
    """Print what is open, then every change. If the agent does not answer, wait until it does."""
    printed: dict[str, tuple[Any, ...]] = {}
    is_away, is_first = False, True
    while True:
        try:
            incidents, origin = read()
        except Unavailable as error:
            if not is_away:
                click.echo(str(error), err=True)
            is_away = True
        else:
            if is_away or is_first:
                click.echo(_watched(incidents, origin, is_back=is_away), err=True)
            is_away = is_first = False
            for incident in reversed(incidents):
                ident, status = incident["id"], tuple(incident[key] for key in _STATUS)
                if printed.get(ident) != status and (ident in printed or incident["state"] == "open"):
                    click.echo("\n".join(table([incident], text_width())[1:] + _changes(printed.get(ident), status)))
                printed[ident] = status
        pause()


def _watched(incidents: list[dict[str, Any]], origin: str, *, is_back: bool) -> str:
    """That it works, for who looks at an empty screen."""
    count = sum(incident["state"] == "open" for incident in incidents)
    opened = count_text(count, "open incident") if count else "nothing is open"
    return f"{'There again' if is_back else 'Watching'}: {printable(origin)}; {opened}."


def _changes(before: tuple[Any, ...] | None, status: tuple[Any, ...]) -> list[str]:
    """What is different since the last look, indented below the incident; nothing for one that is new."""
    if before is None:
        return []
    pairs = zip(_STATUS, before, status, strict=True)
    changed = (
        f"{key.replace('_', ' ')}: {old or 'nobody'} -> {new or 'nobody'}" for key, old, new in pairs if old != new
    )
    return [f"    {printable(text)}" for text in changed]


def _nothing_open(count: int) -> str:
    others = f"; {count_text(count, 'incident')} explained or resolved (--all shows them)" if count else ""
    return f"No incident is open{others}."
