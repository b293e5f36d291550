"""The commands of `xenwatch incidents` with which a person acts on an incident or judges its diagnosis."""

import getpass
import json
from pathlib import Path
from typing import Any, Final

import click

from xenwatch.base.durations import parse_duration
from xenwatch.base.errors import InvalidValue
from xenwatch.base.printed_text import printable
from xenwatch.cli._client import Running
from xenwatch.cli._complete import incident_ids
from xenwatch.cli._options import CONFIG, FORMAT, URL
from xenwatch.model.incident import VERDICTS, RemarkKind

_BY = click.option("--by", "who", help="Your name. Default: your login name.")
_DONE: Final[dict[RemarkKind, str]] = {
    "taken back": "nobody looks after it any more",
    "closed": "closed by hand; it opens again if the trouble is seen again",
    "note": "the note is kept",
    "right": "kept: the diagnosis was right",
    "wrong": "kept: the diagnosis was wrong",
}


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except InvalidValue as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("incident", shell_complete=incident_ids)
@_BY
@click.option("--for", "seconds", type=_seconds, metavar="DURATION", help="For so long. Default: until it is over.")
@click.option("--reason", default="", help="Why, or what you do about it.")
@CONFIG
@URL
def acknowledge(
    incident: str, who: str | None, seconds: float | None, reason: str, config: Path | None, url: str | None
) -> None:
    """Record that a person is taking care of an incident."""
    said: dict[str, Any] = {"seconds": seconds} if seconds is not None else {}
    said |= {"text": reason} if reason else {}
    content = Running(url, config).acknowledge(incident, who or getpass.getuser(), **said)
    title, name = printable(content["title"]), printable(content["acknowledged_by"])
    until = f" until {content['acknowledged_until']}" if content.get("acknowledged_until") else ""
    click.echo(f"{content['id']}: {title}: acknowledged by {name}{until}")


def _remark(name: str, what: RemarkKind, help_: str, *, needs_reason: bool = False) -> click.Command:
    @click.command(name, help=help_)
    @click.argument("incident", shell_complete=incident_ids)
    @_BY
    @click.option("--reason", default="", required=needs_reason, help="What you have to say about it.")
    @CONFIG
    @URL
    def say(incident: str, who: str | None, reason: str, config: Path | None, url: str | None) -> None:
        content = Running(url, config).remark(incident, who or getpass.getuser(), what, reason)
        click.echo(f"{content['id']}: {printable(content['title'])}: {_DONE[what]}")

    return say


@click.command()
@CONFIG
@URL
@FORMAT
def verdicts(config: Path | None, url: str | None, form: str) -> None:
    """List what people said about diagnoses: which were right, which were wrong, and what it really was.

    With --format json each verdict carries the whole incident with its evidence, for the authors of rules.
    """
    incidents, _ = Running(url, config).incidents()
    given = [_verdict(incident, said) for incident in incidents for said in incident["remarks"] if _judges(said)]
    if form == "json":
        click.echo(json.dumps({"version": 1, "verdicts": given}, indent=2))
    for verdict in given if form != "json" else ():
        text = f": {printable(verdict['text'])}" if verdict["text"] else ""
        click.echo(f"{verdict['at']} {verdict['verdict']:5} {verdict['rule']} ({printable(verdict['by'])}){text}")
    if form != "json" and not given:
        click.echo("Nobody has said yet whether a diagnosis was right: xenwatch incidents right ID, or wrong ID.")


def _judges(said: dict[str, Any]) -> bool:
    return said["what"] in VERDICTS


def _verdict(incident: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": said["at"], "by": said["by"], "verdict": said["what"], "text": said["text"],
        "rule": incident["rule"], "class": incident["class"], "incident": incident,
    }  # fmt: skip


REMARKS: tuple[click.Command, ...] = (
    acknowledge,
    _remark("unacknowledge", "taken back", "Record that nobody takes care of an incident any more."),
    _remark("close", "closed", "Close an incident by hand, with the reason why it is over.", needs_reason=True),
    _remark("note", "note", "Leave a note in the history of an incident.", needs_reason=True),
    _remark("right", "right", "Say that the diagnosis of an incident was right."),
    _remark("wrong", "wrong", "Say that the diagnosis was wrong, and what it really was.", needs_reason=True),
    verdicts,
)
"""What `xenwatch incidents` has besides list, show and watch."""
