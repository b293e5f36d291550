"""One agent for each state directory: a second one is refused, also where somebody deleted the lock file."""

import fcntl
import os
from errno import EACCES, EAGAIN
from pathlib import Path

from xenwatch.base.errors import StoreError

FILE = "agent.lock"


class Lock:
    """Held while the process lives, however it ends; the kernel keeps it."""

    def __init__(self, descriptors: list[int]) -> None:
        self.descriptors = descriptors

    def release(self) -> None:
        """Let another agent use the directory."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def lock(state_dir: Path) -> Lock:
    """Lock the directory for this process, and the file in it that older versions lock. StoreError says why not."""
    held = Lock([])
    try:
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = os.open(state_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        held.descriptors.append(file)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _lock_directory(state_dir, held)
    except OSError as error:
        held.release()
        if error.errno in (EAGAIN, EACCES) and error.filename is None:
            raise StoreError(
                f"another xenwatch agent is using the state directory {state_dir}; stop it or set another state_dir"
            ) from error
        raise StoreError(f"the state directory {state_dir} cannot be used: {error.strerror}") from error
    return held


def _lock_directory(state_dir: Path, held: Lock) -> None:
    """The directory stays where the file is deleted. NFS locks no directories: there the file alone has to do."""
    directory = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    held.descriptors.append(directory)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (EAGAIN, EACCES):
            raise
