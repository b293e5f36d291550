"""`xenwatch diagnose`: what is wrong, from logs in a folder, an archive or a file, or on this host now."""

import functools
import importlib
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xenwatch.base.errors import InputError, InvalidValue
from xenwatch.base.zones import Zone, local_zone, parse_zone
from xenwatch.cli._each import EachOptions, document_of, each_options, read_each, summary_text
from xenwatch.cli._options import ARGUMENTS, CONFIG, EXIT_INTERRUPTED
from xenwatch.cli._output import PAGER, show, text_width, write
from xenwatch.cli._progress import Progress
from xenwatch.cli._selection import Selection, selection_options
from xenwatch.cli.report.origin import ReportOrigin
from xenwatch.triage.report import Report

if TYPE_CHECKING:
    from xenwatch.diagnosis.rules.rule import Rule
    from xenwatch.triage.live_probe import LiveProbe

_LIVE_SPAN = 86400.0

_HELP = """Read logs and say what is wrong: the most likely root cause first, then what it explains.

PATH is a file, a folder, an archive (.tar, .tar.gz, .tar.xz, .tar.zst, .tar.bz2), a compressed log, or - for standard
input. Saved output of commands beside the logs (xl list, xl info, brctl show, lvs, ip a …) is used too.

With --live, this host is asked too: domains, memory, bridges, volumes, arrays, daemons. Without PATH, --live reads the
logs that the configuration names and, if no syslog file is written, systemd's journal with its earlier boots; it leaves
out incidents that ended more than a day ago. It also works without Xen and says what could not be asked.

\b
Examples:
  xenwatch diagnose /var/log/xen /var/log/libvirt/libxl /var/log/syslog
  xenwatch diagnose xen-bugtool.tar.gz --format html > report.html
  xenwatch diagnose xen1/ xen2/ xen3/
  xl create /etc/xen/web.cfg 2>&1 | xenwatch diagnose -
  xenwatch diagnose --live
  xenwatch diagnose /var/log --only domain/web --since yesterday
  xenwatch diagnose --each /srv/bundles --jobs 8 --output today.jsonl --baseline yesterday.jsonl

\b
Exit code: 0 if nothing is wrong, 1 if there are incidents, 3 if there are only errors that no rule knows, 2 for wrong
use or if nothing could be read, 130 after Ctrl-C, which ends the reading: the report is then about what was read.
"""


def _zone(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Zone | None:
    try:
        return None if value is None else parse_zone(value)
    except InvalidValue as error:
        raise click.BadParameter(str(error)) from None


@click.command(name="diagnose", help=_HELP, short_help="Read logs, or ask this host, and say what is wrong and why.")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(allow_dash=True))
@click.option("--live", is_flag=True, help="Ask this host too, and read its own logs if no PATH is given.")
@CONFIG
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html", "markdown"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True),
    help="Write to this file instead of standard output.",
)
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER",
    help="Load further rules from this folder. A rule with the id of a shipped one replaces it. May be repeated.",
)
@click.option(
    "--timezone",
    callback=_zone,
    metavar="ZONE",
    help="Time zone of log lines that do not name one: UTC, local, an offset such as +02:00, "
    "or a zone such as Europe/Berlin. Default: UTC; with --live: local.",
)
@selection_options
@each_options
@click.option(
    "--host",
    metavar="NAME",
    help="Name the host that all of these logs are from. Default: what the logs themselves say.",
)
@PAGER
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress on standard error.")
def COMMAND(  # noqa: N802 (the registry looks for this name)
    paths: tuple[str, ...],
    live: bool,
    config: Path | None,
    form: str,
    output: str | None,
    folders: tuple[Path, ...],
    timezone: Zone | None,
    selection: Selection,
    batch: EachOptions,
    host: str | None,
    no_pager: bool,
    quiet: bool,
) -> None:
    if not paths and not live:
        raise InputError("nothing to read: name a path (xenwatch diagnose /var/log/xen), or give --live for this host")
    batch.refuse_without_each()
    progress = Progress(on=not quiet and sys.stderr.isatty())
    if batch.each:
        _refuse_for_each(paths, live, form, host)
        sys.exit(_each(paths, batch, folders, timezone, selection, form, output, progress, pager=not no_pager))
    try:
        if live:
            report = _live(paths, config, folders, timezone, host, progress)
        else:
            report = _read(paths, folders, timezone, host, progress, batch.jobs)
    finally:
        progress.clear()
    report = selection.of(report, time.time() if live else None, _LIVE_SPAN if live and not paths else math.inf)
    arguments = tuple(click.get_current_context().meta.get(ARGUMENTS, ()))
    origin = ReportOrigin(time.time(), arguments, paths, live)
    text = _rendered(report, form, origin, everything=selection.everything)
    if output:
        write(output, text if form != "text" else click.unstyle(text))
    else:
        show(text, pager=form == "text" and not no_pager)
    sys.exit(EXIT_INTERRUPTED if report.interrupted is not None else report.exit_code)


def _refuse_for_each(paths: tuple[str, ...], live: bool, form: str, host: str | None) -> None:
    given = [("--live", live), ("--host", host is not None), (f"--format {form}", form not in ("text", "json"))]
    wrong = [name for name, is_given in (*given, ("standard input (-)", "-" in paths)) if is_given]
    if wrong:
        raise InputError(f"--each reads many bundles, each alone; it cannot go together with {' and '.join(wrong)}")


def _each(
    paths: tuple[str, ...],
    batch: EachOptions,
    folders: tuple[Path, ...],
    timezone: Zone | None,
    selection: Selection,
    form: str,
    output: str | None,
    progress: Progress,
    *,
    pager: bool,
) -> int:
    from xenwatch.triage.batch.task import BatchTask  # noqa: PLC0415

    document = functools.partial(document_of, selection)
    task = BatchTask(document, tuple(folder.resolve() for folder in folders), timezone if timezone is not None else 0.0)
    try:
        summary, code = read_each(paths, task, batch, output, progress)
    finally:
        progress.clear()
    show(summary_text(summary, form), pager=form == "text" and pager)
    return code


def _read(
    paths: tuple[str, ...],
    folders: tuple[Path, ...],
    timezone: Zone | None,
    host: str | None,
    progress: Progress,
    jobs: int | None,
) -> Report:
    from xenwatch.diagnosis.ruleset import cache_folder, rules_with  # noqa: PLC0415
    from xenwatch.triage.diagnose import diagnose  # noqa: PLC0415 (the help of other commands needs none of this)

    cache = cache_folder()
    rules = rules_with(folders, cache)
    return diagnose(
        paths,
        rules,
        cache=cache,
        utc_offset=timezone if timezone is not None else 0.0,
        host=host,
        jobs=jobs,
        progress=progress.reading,
    )


def _live(
    paths: tuple[str, ...],
    file: Path | None,
    folders: tuple[Path, ...],
    timezone: Zone | None,
    host: str | None,
    progress: Progress,
) -> Report:
    import asyncio  # noqa: PLC0415  with its dependents it would take a third of the time of a start without --live

    from xenwatch.base.clock import SystemClock  # noqa: PLC0415
    from xenwatch.config.loader import load_config  # noqa: PLC0415
    from xenwatch.logs.journal_history import MOST_BYTES  # noqa: PLC0415
    from xenwatch.triage.diagnose import diagnose  # noqa: PLC0415
    from xenwatch.triage.live_probe import log_paths, look  # noqa: PLC0415

    config = load_config(file, dict(os.environ)).config
    cache = _live_cache(config.diagnosis.cache_dir)

    async def answers() -> "tuple[tuple[Rule, ...], LiveProbe]":
        """The rules are read and compiled while the host is asked: on a small host each takes long."""
        own = [*map(Path, config.diagnosis.rules), *folders]
        rules = asyncio.create_task(asyncio.to_thread(_ready_rules, own, cache))
        probe = await look(config, SystemClock(), journal=0 if paths else MOST_BYTES, progress=progress.step)
        if not rules.done():
            progress.step("compiling the rules, the first time only")
        return await rules, probe

    progress.step("asking this host")
    rules, probe = asyncio.run(answers())
    offset = local_zone() if timezone is None else timezone
    logs, shown = paths or log_paths(config), progress.reading
    return diagnose(logs, rules, cache=cache, utc_offset=offset, live=probe, host=host, progress=shown)


def _ready_rules(folders: Sequence[Path], cache: Path) -> "tuple[Rule, ...]":
    from xenwatch.base.nice import yield_to_others  # noqa: PLC0415
    from xenwatch.diagnosis.ruleset import rules_with  # noqa: PLC0415
    from xenwatch.triage.diagnose import compile_signatures  # noqa: PLC0415

    yield_to_others()
    rules = rules_with(folders, cache)
    compile_signatures(rules, cache)
    return rules


def _live_cache(agents: Path) -> Path:
    """The agent's where it is this user's: compiling takes a small host a minute, and the agent has done it."""
    from xenwatch.diagnosis.ruleset import cache_folder  # noqa: PLC0415

    try:
        is_ours = agents.stat().st_uid == os.geteuid() and os.access(agents, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        is_ours = False
    return agents if is_ours else cache_folder()


def _rendered(report: Report, form: str, origin: ReportOrigin, *, everything: bool) -> str:
    renderer = importlib.import_module(f"xenwatch.cli.report.as_{form}")
    options: dict[str, dict[str, Any]] = {
        "text": {"width": text_width(), "everything": everything},
        "markdown": {"origin": origin, "everything": everything},
        "html": {"origin": origin, "everything": everything},
    }
    return str(renderer.render(report, **options.get(form, {})))
