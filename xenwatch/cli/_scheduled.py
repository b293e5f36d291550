"""Bundles on a schedule: one after the other into a folder, until stopped."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from xenwatch.base.durations import format_size
from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.triage.bundle.shelf import Shelf


def keep_collecting(shelf: Shelf, every: float, largest: int, write: Callable[[Path], object]) -> None:
    """Each time one is due. One that fails is said and tried again with the next; SIGTERM ends the waiting."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        shelf.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shelf.prune(time.time())
    except OSError as error:
        raise InputError(f"{shelf.folder} cannot be used: {error.strerror or error}") from None
    while not stopped.wait(shelf.seconds_until_due(every, time.time())):
        if not collect_once(shelf, largest, write):
            stopped.wait(min(every, 3600.0))  # the youngest bundle is as old as before


def collect_once(shelf: Shelf, largest: int, write: Callable[[Path], object]) -> bool:
    """One bundle, which has its name only when it is complete, and then the old ones go; False: there is none."""
    part, path = shelf.new(socket.gethostname(), time.time())
    try:
        if not shelf.has_room(largest):
            raise InputError(f"{shelf.folder} has no room for {format_size(largest)}; nothing is collected")
        write(part)
        part.replace(path)
        gone = shelf.prune(time.time())
    except (XenwatchError, OSError) as error:
        click.echo(f"xenwatch collect: {error}", err=True)
        return False
    click.echo(str(path))
    sys.stdout.flush()
    for old in gone:
        click.echo(f"deleted {old.name}", err=True)
    return True
