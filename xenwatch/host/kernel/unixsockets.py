"""Who is connected to a daemon's unix socket, as the kernel tells it: the daemon itself is asked nothing."""

from pathlib import Path

from xenwatch.host.files import read_text

_CONNECTED = "03"
_STATE, _PATH = 5, 7


def clients(proc: Path, sockets: frozenset[str]) -> int | None:
    """Connections that were accepted on these sockets (linux: net/unix/af_unix.c); None where the list is not there.

    An accepted end goes by the path of its listener; `/var/run` and `/run` are one.
    """
    text = read_text(proc / "net/unix")
    if text is None:
        return None
    count = 0
    for line in text.splitlines()[1:]:
        words = line.split(None, _PATH)
        if len(words) > _PATH and words[_STATE] == _CONNECTED and words[_PATH].removeprefix("/var") in sockets:
            count += 1
    return count
