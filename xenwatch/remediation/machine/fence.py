"""The receiving end of a fencing token: the highest one that arrived for each target, kept over restarts.

An order that reaches another host is wrapped into `xenwatch fence`, which asks here first and then becomes the order.
"""

import fcntl
import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REFUSED = 76
"""Exit code of a refusal (EX_PROTOCOL of sysexits.h)."""
FILE = "fence.json"
"""In the folder of the process that carries out orders: the helper's where there is one, else the agent's."""
FOLDER_OF_HELPER = Path("/var/lib/xenwatch-effects")
_PROGRAM = ("xenwatch", "fence")


def fence_file(state_dir: Path, helper: Path = FOLDER_OF_HELPER) -> Path:
    """The one file of this host: orders of other hosts are checked against the tokens of its own."""
    return (helper if helper.is_dir() else state_dir) / FILE


def is_current(highest: int, token: int) -> bool:
    """The holder of the newest lease gives several orders with one token; an older holder gives none any more."""
    return token >= highest


def accept(file: Path, target: str, token: int) -> bool:
    """Whether an order with this token may be carried out here; from then on no older one is. OSError, ValueError."""
    with _locked(file.with_suffix(".lock")):
        known: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if not is_current(known.get(target, 0), token):
            return False
        if token > known.get(target, 0):
            _write(file, known | {target: token})
        return True


def fenced(argv: tuple[str, ...], target: str, token: int) -> tuple[str, ...]:
    """What to run on another host in the place of `argv`."""
    return (*_PROGRAM, "--target", target, "--token", str(token), "--", *argv)


def fenced_carrier(ssh: str, target: str, token: int) -> str:
    """For a program that is given an ssh command and adds host and words itself, as `xl migrate -s` does."""
    far = shlex.join(fenced((), target, token))
    script = f'h=$1; shift; exec {ssh} "$h" {shlex.quote(far)} "$@"'
    return shlex.join(("sh", "-c", script, "-"))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(file: Path, known: dict[str, int]) -> None:
    """On the disk before the order begins."""
    new = file.with_suffix(".new")
    with new.open("w") as out:
        json.dump(known, out)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
