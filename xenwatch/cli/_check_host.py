"""`xenwatch check host`: what will fail one day on a host that is well now, and how to prevent it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from xenwatch.base.clock import SystemClock
from xenwatch.cli._options import CONFIG, FORMAT
from xenwatch.cli._output import PAGER, show, text_width
from xenwatch.cli.report.check_text import check_json, check_lines
from xenwatch.config.loader import load_config
from xenwatch.diagnosis.ruleset import cache_folder
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.triage.host_check import HostCheck, all_checks, check_bundle, check_this_host

WELL, FOUND, COULD_NOT = range(3)


@click.command()
@click.argument("paths", nargs=-1, metavar="[BUNDLE]...", type=click.Path(allow_dash=True))
@CONFIG
@FORMAT
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="info",
    show_default=True,
    help="Report only what is at least that severe.",
)
@click.option("--host", "name", metavar="NAME", help="Name the host that all of these files are from.")
@PAGER
def host(paths: Sequence[str], config: Path | None, form: str, severity: str, name: str | None, no_pager: bool) -> None:
    """Check a host that is well for what will fail one day: boot options, clock, network, storage, services.

    Without BUNDLE, look at this host. BUNDLE is what `xenwatch collect` wrote, a sosreport, or a folder with its files.
    Nothing is changed. Exit code: 0 if all is well, 1 if something was found, 2 if nothing could be checked.

    \b
    Examples:
      xenwatch check host
      xenwatch check host xen1-sosreport.tar.xz
      xenwatch check host --severity warning --format json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    checked = _checked(paths, config, name)
    found = [one.of_severity(SEVERITIES[SEVERITIES.index(severity) :]) for one in checked]
    if form == "json":
        click.echo(json.dumps({"version": 1, "hosts": [check_json(one) for one in found]}, indent=2))
    else:
        width = text_width()
        show("\n\n".join("\n".join(check_lines(one, width)) for one in found), pager=not no_pager)
    sys.exit(_exit_code(checked, found))


def _checked(paths: Sequence[str], config: Path | None, name: str | None) -> Sequence[HostCheck]:
    if paths:
        return check_bundle(paths, all_checks((), cache_folder()), time.time(), host=name)
    settings = load_config(config, dict(os.environ)).config
    own = [Path(folder) for folder in settings.diagnosis.rules]
    return [asyncio.run(check_this_host(settings, all_checks(own, cache_folder()), SystemClock()))]


def _exit_code(checked: Sequence[HostCheck], found: Sequence[HostCheck]) -> int:
    """`found` is what of it is severe enough to be reported."""
    if any(result.found for check in found for result in check.results):
        return FOUND
    return WELL if any(check.could_tell for check in checked) else COULD_NOT
