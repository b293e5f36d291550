"""`xenwatch diagnose`: what is wrong, from a folder or archive of logs."""

import importlib
import math
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xenwatch.base.durations import format_size, parse_duration
from xenwatch.base.errors import InputError
from xenwatch.cli._options import CONFIG
from xenwatch.cli.report.format import printable
from xenwatch.triage.report import Report

if TYPE_CHECKING:
    from xenwatch.diagnosis.rules.rule import Rule
    from xenwatch.triage.live_probe import LiveProbe

_SHOW_EVERY = 0.2
_LIVE_SPAN = 86400.0
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")

_HELP = """Read logs and say what is wrong: the most likely root cause first, then what it explains.

PATH is a file, a folder, an archive (.tar, .tar.gz, .tar.xz, .tar.zst, .tar.bz2), a compressed log, or - for standard
input. Output of commands that lies beside the logs (xl list, xl info, brctl show, lvs, ip a …) is used too.

With --live this host itself is asked, too: domains, memory, bridges, volumes, arrays, daemons. Without PATH its logs
are those of the configuration and, where no syslog file is written, systemd's journal with its earlier boots; what
was over more than a day ago is left out. It works where there is no Xen, and says what could not be asked.

\b
Examples:
  xenwatch diagnose /var/log/xen /var/log/libvirt/libxl /var/log/syslog
  xenwatch diagnose xen-bugtool.tar.gz --format html > report.html
  xl create /etc/xen/web.cfg 2>&1 | xenwatch diagnose -
  xenwatch diagnose --live

\b
Exit code: 0 nothing wrong, 1 incidents found, 2 wrong use or nothing readable.
"""


def _utc_offset(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    if value == "local":
        return float(time.localtime().tm_gmtoff)
    found = _ZONE.fullmatch(value)
    if value.upper() not in ("UTC", "Z") and not found:
        raise click.BadParameter("write UTC, local, or an offset such as +02:00")
    if not found:
        return 0.0
    return (1 if found[1] == "+" else -1) * (int(found[2]) * 3600 + int(found[3]) * 60.0)


def _duration(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return math.inf if value == "all" else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(name="diagnose", help=_HELP)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(allow_dash=True))
@click.option("--live", is_flag=True, help="Ask this host too; its own logs where no PATH is given.")
@CONFIG
@click.option("--format", "form", type=click.Choice(["text", "json", "html", "markdown"]), default="text")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True), help="Write there, not to stdout.")
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER",
    help="Further rules; a rule of the same name replaces ours.",
)
@click.option(
    "--timezone",
    callback=_utc_offset,
    metavar="ZONE",
    help="Zone of times in the logs that do not say it: UTC (default), local (default of --live), or +02:00.",
)
@click.option(
    "--since",
    callback=_duration,
    metavar="DURATION",
    help="Leave out what was over so long before the end: 2h, 7d, or all (default; 1d of --live without PATH).",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def COMMAND(  # noqa: N802 (the registry looks for this name)
    paths: tuple[str, ...],
    live: bool,
    config: Path | None,
    form: str,
    output: str | None,
    folders: tuple[Path, ...],
    timezone: float | None,
    since: float | None,
    quiet: bool,
) -> None:
    if not paths and not live:
        raise InputError("say what to read: xenwatch diagnose /var/log/xen, or --live for this host (see --help)")
    progress = _Progress(on=not quiet and sys.stderr.isatty())
    try:
        report = (
            _live(paths, config, folders, timezone, progress) if live else _read(paths, folders, timezone, progress)
        )
    finally:
        progress.clear()
    if since is None and live and not paths:
        since = _LIVE_SPAN
    if since is not None and since < math.inf:
        report = report.since((time.time() if live else report.end) - since)
    text = _rendered(report, form, width=shutil.get_terminal_size((100, 24)).columns)
    if output:
        _write(output, text if form != "text" else click.unstyle(text))
    else:
        click.echo(text)
    sys.exit(1 if any(i.diagnosis.severity != "info" for i in report.incidents) else 0)


def _read(paths: tuple[str, ...], folders: tuple[Path, ...], timezone: float | None, progress: "_Progress") -> Report:
    from xenwatch.diagnosis.ruleset import cache_folder, rules_with  # noqa: PLC0415
    from xenwatch.triage.diagnose import diagnose  # noqa: PLC0415 (the help of other words needs none of this)

    cache = cache_folder()
    rules = rules_with(folders, cache)
    return diagnose(paths, rules, cache=cache, utc_offset=timezone or 0.0, progress=progress.show)


def _live(
    paths: tuple[str, ...],
    file: Path | None,
    folders: tuple[Path, ...],
    timezone: float | None,
    progress: "_Progress",
) -> Report:
    import asyncio  # noqa: PLC0415  with all below it: a third of what a start would cost without --live

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
        probe = await look(config, SystemClock(), journal=0 if paths else MOST_BYTES, progress=progress.say)
        if not rules.done():
            progress.say("compiling the rules, the first time only")
        return await rules, probe

    progress.say("asking this host")
    rules, probe = asyncio.run(answers())
    offset = float(time.localtime().tm_gmtoff) if timezone is None else timezone
    return diagnose(
        paths or log_paths(config), rules, cache=cache, utc_offset=offset, live=probe, progress=progress.show
    )


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


def _rendered(report: Report, form: str, width: int) -> str:
    if form == "text":
        from xenwatch.cli.report import as_text  # noqa: PLC0415

        return as_text.render(report, min(width, 120))
    renderer = importlib.import_module(f"xenwatch.cli.report.as_{form}")
    return str(renderer.render(report))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


class _Progress:
    """One line on stderr, rewritten a few times a second, so that long work is seen to go on."""

    def __init__(self, *, on: bool) -> None:
        self._on, self._next, self._shown = on, time.monotonic() + _SHOW_EVERY, False

    def show(self, path: str, count: int) -> None:
        if self._on and time.monotonic() >= self._next:
            self._next, self._shown = time.monotonic() + _SHOW_EVERY, True
            click.echo(f"\r\x1b[Kreading {printable(path)[-60:]}: {format_size(count)}", nl=False, err=True)

    def say(self, words: str) -> None:
        if self._on:
            self._shown = True
            click.echo(f"\r\x1b[K{words} …", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
