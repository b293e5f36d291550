"""`xenwatch status`: the health of the running agent."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from xenwatch.base.durations import format_duration, format_size
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, FORMAT, URL

_MOST_LOGS = 15


@click.command(short_help="Show the health of the running agent: logs, collectors, rules, incidents.")
@CONFIG
@URL
@FORMAT
def COMMAND(config: Path | None, url: str | None, form: str) -> None:  # noqa: N802 - the registry's name
    """Show the health of the running agent.

    Exit code: 0 if every part makes progress, 1 if one does not, 2 if no agent answers.

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
    verdict = click.style("healthy", fg="green") if health["ok"] else click.style("NOT HEALTHY", fg="red", bold=True)
    lines = [f"xenwatch {status['xenwatch']} at {url}: {verdict}"]
    for check in health["checks"]:
        age = "not yet" if check["age_seconds"] is None else f"{format_duration(check['age_seconds'])} ago"
        lines.append(f"  {check['name']:<12} {_mark(check['ok'])}  {age}  {one_line(str(check['detail']))}".rstrip())
    counts = status["incidents"]
    lines.append(f"incidents: {counts['open']} open, {counts['explained']} explained, {counts['resolved']} resolved")
    lines.append(f"rules: {status['rules']['count']}, matched with {status['rules']['engine']}")
    lines += _collectors(status["collectors"])
    lines += _logs(status["logs"])
    unmatched = status["unmatched_errors"]["count"]
    lines.append(f"{count_text(unmatched, 'error line')} that no rule matches")
    return lines


def _collectors(collectors: list[dict[str, Any]]) -> list[str]:
    failing = [collector for collector in collectors if not collector["ok"]]
    lines = [f"collectors: {len(collectors) - len(failing)} of {len(collectors)} ok"]
    return lines + [f"  {c['name']:<12} {_mark(False)}  {one_line(str(c['error']))}" for c in failing]


def _logs(logs: list[dict[str, Any]]) -> list[str]:
    active = [log for log in logs if log["lines"]]
    lines = [f"logs: {len(logs)} followed, {len(active)} with new lines since the agent started"]
    for log in active[:_MOST_LOGS]:
        behind = f", {format_size(log['lag_bytes'])} behind" if log["lag_bytes"] else ""
        amount = f"{count_text(log['lines'], 'line')}, {format_size(log['bytes'])}{behind}"
        lines.append(f"  {one_line(log['path'])}  {log['format']}  {amount}")
    if len(active) > _MOST_LOGS:
        lines.append(f"  and {len(active) - _MOST_LOGS} more (--format json lists all)")
    return lines


def _mark(ok: bool) -> str:
    return click.style("ok", fg="green") if ok else click.style("not ok", fg="red")
