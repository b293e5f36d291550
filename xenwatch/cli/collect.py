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
from xenwatch.base.durations import format_size, parse_size
from xenwatch.base.errors import InputError
from xenwatch.cli._options import CONFIG
from xenwatch.cli.report.format import count_text, printable

if TYPE_CHECKING:
    from xenwatch.triage.bundle.collect import Collected


def _size(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        return parse_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="Gather logs and the host's state, redacted, for somebody else to diagnose.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: xenwatch-HOST-TIME.tar.gz, here."
)
@click.option("--mask-addresses", is_flag=True, help="Replace MAC and IP addresses too, each by the same other one.")
@click.option("--limit", default="64MiB", show_default=True, callback=_size, help="Most of it, before compression.")
@CONFIG
@click.option("-q", "--quiet", is_flag=True, help="Say only the file's name.")
def COMMAND(output: Path | None, mask_addresses: bool, limit: int, config: Path | None, quiet: bool) -> None:  # noqa: N802 - the registry's name
    """Write a .tar.gz that `xenwatch diagnose` reads on any other machine.

    In it: the newest part of each log that the agent follows, rotated ones included; systemd's journal where no syslog
    file is written, one file for each boot; the output of xl, lvs, ip, dmesg and the like, each under a deadline; a
    snapshot of all metrics. Passwords, tokens and keys are taken out. Nothing is changed on the host, and nothing is
    sent anywhere. It works where there is no Xen.

    \b
    Examples:
      xenwatch collect
      xenwatch collect --mask-addresses -o /tmp/support.tar.gz
      xenwatch diagnose /tmp/support.tar.gz
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    from xenwatch.config.loader import load_config  # noqa: PLC0415
    from xenwatch.host.host import open_host  # noqa: PLC0415
    from xenwatch.triage.bundle.collect import collect  # noqa: PLC0415 (help needs none of this)

    loaded = load_config(config, dict(os.environ)).config
    path = output or Path(f"xenwatch-{socket.gethostname()}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")

    progress = _Progress(on=not quiet and sys.stderr.isatty())

    async def work(file: BinaryIO) -> "Collected":
        host = open_host(SystemClock(), libvirt_uri=loaded.sampling.libvirt_uri or None, ssh=loaded.sampling.ssh)
        try:
            return await collect(host, loaded, file, addresses=mask_addresses, limit=limit, progress=progress.say)
        finally:
            await host.close()

    try:
        with _whole(path) as file:
            done = asyncio.run(work(file))
    finally:
        progress.clear()
    click.echo(str(path))
    if not quiet:
        click.echo("\n".join(_told(path, done)), err=True)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A new file that stays only if all goes well; its owner's alone, for there is no telling what a log holds."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
    except FileExistsError:
        raise InputError(f"{path} is there already; give another name with -o") from None
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


def _told(path: Path, done: "Collected") -> list[str]:
    packed = format_size(path.stat().st_size)
    return [
        f"{count_text(done.members, 'file')}, {format_size(done.bytes)}, {packed} packed",
        f"{count_text(done.redactions, 'secret')} or address{'es' * (done.redactions != 1)} replaced",
        f"{count_text(len(done.left_out), 'thing')} could not be had; README.txt in it names each",
        *(f"Not in it: {skipped.path}: {skipped.reason}" for skipped in done.left_out if skipped.path == "journal"),
        "Names of guests and hosts are in it: look through it before you hand it on.",
    ]


class _Progress:
    """One line on stderr, rewritten, where it is a terminal."""

    def __init__(self, *, on: bool) -> None:
        self._on, self._shown = on, False

    def say(self, what: str) -> None:
        if self._on:
            self._shown = True
            click.echo(f"\r\x1b[K{printable(what)[-60:]} …", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
