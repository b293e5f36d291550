"""A listening socket of this machine: its file admits root and one group, and nobody can reach it before it does."""

import grp
import os
import socket
import stat
from pathlib import Path

from xenwatch.base.errors import Unavailable

_BACKLOG = 128
_MODE, _GROUP_MODE = 0o600, 0o660


def unix_socket(path: Path, gid: int | None = None) -> socket.socket:
    """Listening at `path`, for the owner and, where it is given, a group. Unavailable where that cannot be."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        sock.setblocking(False)
        sock.bind(os.fspath(path))
        if gid is not None:
            os.chown(path, -1, gid)
        path.chmod(_MODE if gid is None else _GROUP_MODE)
        # whoever connected before this line was refused: the file's mode is right from the first connection on
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise Unavailable(f"cannot listen on {path}: {error.strerror or error}") from error
    except Unavailable:
        sock.close()
        raise
    return sock


def group_id(name: str) -> int:
    """Unavailable where this machine has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Unavailable(f"there is no group {name}; see [web] socket_group") from None


def remove(path: Path, of: socket.socket) -> None:
    """Delete the file that a socket was bound to."""
    if of.fileno() >= 0 and of.getsockname() == os.fspath(path):
        path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Remove what an agent that was killed left behind; never a file of another kind, nor a socket in use."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise Unavailable(f"cannot listen on {path}: it is a file, and not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Unavailable(f"cannot listen on {path}: another process listens there")
