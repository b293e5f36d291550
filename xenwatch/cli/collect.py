"""`xenwatch collect`: a redacted support bundle of this host."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.durations import format_size, parse_duration, parse_size
from xenwatch.base.errors import InputError
from xenwatch.base.plurals import count_text
from xenwatch.cli._options import CONFIG
from xenwatch.cli._progress import Progress
from xenwatch.cli._scheduled import keep_collecting
from xenwatch.triage.bundle.shelf import Shelf

if TYPE_CHECKING:
    from xenwatch.config.sections import Config
    from xenwatch.triage.bundle.collect import Collected

_SHORTEST = 60.0


def _size(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        return parse_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if seconds < _SHORTEST:
        raise click.BadParameter("at least a minute")
    return seconds


@click.command(short_help="Write a redacted bundle of logs and host state for somebody else to diagnose.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the bundle to this file. Default: xenwatch-HOST-TIME.tar.gz in this folder.",
)
@click.option(
    "--mask-addresses",
    is_flag=True,
    help="Replace MAC and IP addresses too, each by the same other address throughout.",
)
@click.option(
    "--limit",
    metavar="SIZE",
    default="64MiB",
    show_default=True,
    callback=_size,
    help="Put at most this much into the bundle, counted before compression.",
)
@click.option(
    "--every",
    metavar="DURATION",
    callback=_duration,
    help="Go on until stopped, with a bundle so often, such as 6h or 1d; -o then names a folder.",
)
@click.option(
    "--keep-for",
    metavar="DURATION",
    default="30d",
    show_default=True,
    callback=_duration,
    help="With --every: delete bundles that are older.",
)
@click.option(
    "--keep-size",
    metavar="SIZE",
    default="2GiB",
    show_default=True,
    callback=_size,
    help="With --every: delete the oldest until all take at most this much.",
)
@CONFIG
@click.option("-q", "--quiet", is_flag=True, help="Print only the name of the file.")
def COMMAND(  # noqa: N802 - the registry's name
    output: Path | None,
    mask_addresses: bool,
    limit: int,
    every: float | None,
    keep_for: float,
    keep_size: int,
    config: Path | None,
    quiet: bool,
) -> None:
    """Write a .tar.gz that `xenwatch diagnose` reads on any other machine.

    The bundle holds the newest part of each log that the agent follows, including rotated ones; systemd's journal, one
    file for each boot, if no syslog file is written; the output of xl, lvs, ip, dmesg and similar commands, each with a
    deadline; and a snapshot of all metrics. Passwords, tokens and keys are removed. Nothing is changed on the host, and
    nothing is sent anywhere. It also works without Xen.

    With --every it keeps a folder of them (by default `bundles` in the agent's state), from which `diagnose --each`
    and `--baseline` say what is new since last week.

    \b
    Examples:
      xenwatch collect
      xenwatch collect --mask-addresses -o /tmp/support.tar.gz
      xenwatch diagnose /tmp/support.tar.gz
      xenwatch collect --every 1d --keep-for 14d --keep-size 1GiB -o /srv/bundles
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    from xenwatch.config.loader import load_config  # noqa: PLC0415 (help needs none of this)

    loaded = load_config(config, dict(os.environ)).config
    if every is not None:
        shelf = Shelf(output or loaded.agent.state_dir / "bundles", keep_for, keep_size)
        silent = Progress(on=False)
        keep_collecting(shelf, every, limit, lambda path: _write(path, loaded, mask_addresses, limit, silent))
        return
    path = output or Path(f"xenwatch-{socket.gethostname()}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    done = _write(path, loaded, mask_addresses, limit, Progress(on=not quiet and sys.stderr.isatty()))
    click.echo(str(path))
    if not quiet:
        click.echo("\n".join(_summary(path, done)), err=True)


def _write(path: Path, loaded: "Config", mask_addresses: bool, limit: int, progress: Progress) -> "Collected":
    from xenwatch.config.assembly import ways_to  # noqa: PLC0415
    from xenwatch.host.host import open_host  # noqa: PLC0415
    from xenwatch.triage.bundle.collect import collect  # noqa: PLC0415

    async def work(file: BinaryIO) -> "Collected":
        host = open_host(SystemClock(), **ways_to(loaded.sampling))
        try:
            return await collect(host, loaded, file, addresses=mask_addresses, limit=limit, progress=progress.step)
        finally:
            await host.close()

    try:
        with _new_file(path) as file:
            return asyncio.run(work(file))
    finally:
        progress.clear()


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that stays only if all goes well. Only its owner may read it, for a log may hold anything."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
    except FileExistsError:
        raise InputError(f"{path} already exists; give another name with -o") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _summary(path: Path, done: "Collected") -> list[str]:
    packed = format_size(path.stat().st_size)
    return [
        f"{count_text(done.members, 'file')}, {format_size(done.bytes)}, {packed} compressed",
        f"{count_text(done.redactions, 'secret or address', 'secrets and addresses')} replaced",
        f"{count_text(len(done.left_out), 'source')} missing or cut; README.txt in the bundle lists them",
        *(f"Missing: {skipped.path}: {skipped.reason}" for skipped in done.left_out if skipped.path == "journal"),
        "The bundle contains names of guests and hosts: look through it before you hand it on.",
    ]
