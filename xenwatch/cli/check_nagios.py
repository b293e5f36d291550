"""`xenwatch check-nagios`: the open incidents as a check of Nagios, Icinga or Checkmk."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from xenwatch.base.errors import XenwatchError
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, URL
from xenwatch.cli.report.incident_table import subject_text
from xenwatch.model.diagnosis import SEVERITIES

OK, WARNING, CRITICAL, UNKNOWN = range(4)
"""Exit codes of the Monitoring Plugins' guidelines."""
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_LEVELS = click.Choice(SEVERITIES[1:])


@click.command(short_help="Report the open incidents to Nagios, Icinga or Checkmk.")
@CONFIG
@URL
@click.option("--critical", default="error", show_default=True, type=_LEVELS, help="CRITICAL from this severity on.")
@click.option("--warning", default="warning", show_default=True, type=_LEVELS, help="WARNING from this severity on.")
@click.option("--only", multiple=True, metavar="SUBJECT", help="Only this, such as domain/web. May be repeated.")
@click.option("--acknowledged", is_flag=True, help="Count incidents that a person has acknowledged too.")
@click.option("--checkmk", is_flag=True, help="Print one line as a local check of Checkmk; the exit code is 0.")
def COMMAND(  # noqa: N802 - the registry's name
    config: Path | None,
    url: str | None,
    critical: str,
    warning: str,
    only: Sequence[str],
    acknowledged: bool,
    checkmk: bool,
) -> None:
    """Report the open incidents of the running agent as a monitoring check, with performance data.

    Only root causes count, not what they explain. Exit code: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (no agent answers).

    \b
    Examples:
      xenwatch check-nagios
      xenwatch check-nagios --url https://xen1:10197 --only domain/web --critical critical
      xenwatch check-nagios --checkmk        # in /usr/lib/check_mk_agent/local/
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    try:
        causes = _causes(Running(url, config).get("/api/v1/incidents?full=1")["incidents"], only)
    except XenwatchError as error:
        code, lines, figures = UNKNOWN, [one_line(str(error))], ""
    else:
        counted = [cause for cause in causes if acknowledged or not cause["acknowledged_by"]]
        code = _code(counted, warning, critical)
        lines, figures = [_headline(counted, len(causes) - len(counted)), *map(_line, counted)], _figures(causes)
    click.echo(_checkmk(code, lines, figures) if checkmk else _nagios(code, lines, figures))
    sys.exit(OK if checkmk else code)


def _causes(incidents: Sequence[dict[str, Any]], only: Sequence[str]) -> list[dict[str, Any]]:
    """Open root causes above `info`, the most likely first."""
    opened = (i for i in incidents if i["state"] == "open" and i["severity"] != "info")
    return [i for i in opened if not only or subject_text(i) in only]


def _code(causes: Sequence[dict[str, Any]], warning: str, critical: str) -> int:
    worst = max((SEVERITIES.index(cause["severity"]) for cause in causes), default=0)
    if causes and worst >= SEVERITIES.index(critical):
        return CRITICAL
    return WARNING if causes and worst >= SEVERITIES.index(warning) else OK


def _headline(causes: Sequence[dict[str, Any]], acknowledged: int) -> str:
    aside = f" ({count_text(acknowledged, 'acknowledged incident')})" if acknowledged else ""
    if not causes:
        return f"no incident is open{aside}"
    return f"{count_text(len(causes), 'incident')}{aside}, first: {_line(causes[0])}"


def _line(cause: dict[str, Any]) -> str:
    return one_line(f"{cause['severity']}: {cause['title']} ({subject_text(cause)})")


def _figures(causes: Sequence[dict[str, Any]]) -> str:
    count = Counter(cause["severity"] for cause in causes)
    acknowledged = sum(bool(cause["acknowledged_by"]) for cause in causes)
    return " ".join([*(f"{name}={count[name]}" for name in reversed(SEVERITIES[1:])), f"acknowledged={acknowledged}"])


def _nagios(code: int, lines: Sequence[str], figures: str) -> str:
    """`|` begins the performance data, so no text may hold one."""
    first, *rest = (line.replace("|", "/") for line in lines)
    return "\n".join([f"XENWATCH {_WORDS[code]} - {first}" + (f" | {figures}" if figures else ""), *rest])


def _checkmk(code: int, lines: Sequence[str], figures: str) -> str:
    return f'{code} "Xen incidents" {figures.replace(" ", "|") or "-"} {lines[0]}'
