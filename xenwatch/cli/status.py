"""`xenwatch status`: how the agent fares."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from xenwatch.base.durations import format_duration, format_size
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, FORMAT, URL
from xenwatch.cli.report.format import count_text, printable

_MOST_LOGS = 15


@click.command(short_help="How the agent fares: logs, collectors, rules, incidents.")
@CONFIG
@URL
@FORMAT
def COMMAND(config: Path | None, url: str | None, form: str) -> None:  # noqa: N802 - the registry's name
    """Ask the running agent how it fares. Exit code 0 when every part makes progress, 1 otherwise, 2 when it is down.

    \b
    Examples:
      xenwatch status
      xenwatch status --format json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    running = Running(url, config)
    health, status = running.get("/healthz"), running.get("/api/v1/status")
    if form == "json":
        click.echo(json.dumps({"version": 1, "health": health, "status": status}, indent=2))
    else:
        click.echo("\n".join(_text(running.url, health, status)))
    sys.exit(not health["ok"])


def _text(url: str, health: dict[str, Any], status: dict[str, Any]) -> list[str]:
    good = click.style("healthy", fg="green") if health["ok"] else click.style("NOT HEALTHY", fg="red", bold=True)
    lines = [f"xenwatch {status['xenwatch']} at {url}: {good}"]
    for check in health["checks"]:
        age = "not yet" if check["age_seconds"] is None else f"{format_duration(check['age_seconds'])} ago"
        lines.append(f"  {check['name']:<12} {_mark(check['ok'])}  {age}  {check['detail']}".rstrip())
    counts = status["incidents"]
    lines.append(f"incidents: {counts['open']} open, {counts['explained']} explained, {counts['resolved']} resolved")
    lines.append(f"rules: {status['rules']['count']}, read by {status['rules']['engine']}")
    lines += _collectors(status["collectors"])
    lines += _logs(status["logs"])
    unknown = status["unmatched_errors"]["count"]
    lines.append(f"{count_text(unknown, 'line')} at error level that no rule knows")
    return lines


def _collectors(collectors: list[dict[str, Any]]) -> list[str]:
    bad = [one for one in collectors if not one["ok"]]
    lines = [f"collectors: {len(collectors) - len(bad)} of {len(collectors)} well"]
    return lines + [f"  {one['name']:<12} {_mark(False)}  {printable(str(one['error']))}" for one in bad]


def _logs(logs: list[dict[str, Any]]) -> list[str]:
    read = [one for one in logs if one["lines"]]
    lines = [f"logs: {len(logs)} followed, {len(read)} with something new since the start"]
    for one in read[:_MOST_LOGS]:
        behind = f", {format_size(one['lag_bytes'])} behind" if one["lag_bytes"] else ""
        amount = f"{count_text(one['lines'], 'line')}, {format_size(one['bytes'])}{behind}"
        lines.append(f"  {printable(one['path'])}  {one['format']}  {amount}")
    return lines


def _mark(ok: bool) -> str:
    return click.style("ok", fg="green") if ok else click.style("not ok", fg="red")
