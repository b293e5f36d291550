"""Whose log is it: from the path, and for `qemu-dm.<pid>.log` from what is known of the device model's process."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from xenwatch.model.record import Chunk, LogFormat, Source
from xenwatch.model.subject import Subject


class Owner(NamedTuple):
    """A device model's process and the domain it serves; what is not known is None."""

    pid: int
    domid: int | None
    name: str | None


# xend 3.0-3.1 `spawning device models: /usr/lib/xen/bin/qemu-dm [...]` and `device model pid: 4711`;
# 3.2 and later say the arguments in one line and the pid in the next (tools/python/xen/xend/image.py).
_PID = re.compile(r"(?:device model|qemu-dm) pid:? (?P<pid>\d+)")
_SPAWNING = re.compile(r"spawning device models|qemu-dm.*-d(?:omain-name)?\b")
_DOMID = re.compile(r"(?:'-d'|-d|-xen-domid)[', ]+(?P<domid>\d+)\b")
_NAME = re.compile(r"(?:'-domain-name'|-domain-name|'-name'|-name)[', ]+(?P<name>[\w.+:@-]+)")


def device_model_owner(text: str) -> Owner | None:
    """Reads process arguments: xend.log's lines about the device model (both of them, joined), or `ps` with its pid.

    None where the text names no pid, or neither domid nor name.
    """
    pid = _PID.search(text)
    return _owner(int(pid["pid"]), text) if pid else None


def owner_of_process(pid: int, command_line: bytes) -> Owner | None:
    """Reads `/proc/<pid>/cmdline`; None where the process is no device model of a Xen domain."""
    arguments = command_line.decode("utf-8", "replace").split("\0")
    if "qemu" not in arguments[0]:
        return None
    return _owner(pid, " ".join(arguments))


def _owner(pid: int, text: str) -> Owner | None:
    domid, name = _DOMID.search(text), _NAME.search(text)
    if not domid and not name:
        return None
    return Owner(pid, int(domid["domid"]) if domid else None, name["name"] if name else None)


class DeviceModels:
    """Which process served which domain. What was learnt stays after the process is gone, bounded to the newest."""

    def __init__(
        self, read_command_line: Callable[[int], bytes | None] = lambda _pid: None, *, most: int = 1000
    ) -> None:
        """`read_command_line` gives the bytes of `/proc/<pid>/cmdline`, or None where there is no such process.

        By default there is none: of another host only its own logs know the processes.
        """
        self._read, self._most = read_command_line, most
        self._known: dict[int, Owner] = {}
        self._arguments = ""

    def learn(self, chunk: Chunk) -> None:
        """Takes whole lines of any log; those of a format that names device models teach their processes."""
        if chunk.source.format.names_device_models:
            self.learn_from(chunk.data)

    def owner(self, source: Source) -> Subject | None:
        """The domain the log belongs to, as far as is known by now."""
        return source.subject or owner_of(source.path, source.format, self)

    def learn_record(self, text: str) -> Owner | None:
        """Takes a record of xend.log; pids are reused, so the newest word counts.

        xend writes the arguments in one record and the pid in one of the next.
        """
        if _SPAWNING.search(text):
            self._arguments = text
        owner = device_model_owner(text) or device_model_owner(f"{text}\n{self._arguments}")
        if owner:
            self._keep(owner)
            self._arguments = ""
        return owner

    def learn_from(self, data: bytes) -> None:
        """Takes a chunk of xend.log; the arguments may stand in one chunk and the pid in the next."""
        for at in _places(data, b"device model"):
            if data[max(at - 9, 0) : at] != b"spawning " and not data.startswith(b"device model pid", at):
                continue
            end = data.find(b"\n", at)
            self.learn_record(data[data.rfind(b"\n", 0, at) + 1 : end if end >= 0 else None].decode("utf-8", "replace"))

    def of_process(self, pid: int) -> Owner | None:
        """The running process is asked first: it knows best; then what was learnt."""
        command_line = self._read(pid)
        owner = owner_of_process(pid, command_line) if command_line else None
        if owner:
            self._keep(owner)
        return owner or self._known.get(pid)

    def _keep(self, owner: Owner) -> None:
        self._known.pop(owner.pid, None)
        self._known[owner.pid] = owner
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def to_json(self) -> list[list[int | str | None]]:
        return [list(owner) for owner in self._known.values()]

    def from_json(self, rows: list[list[int | str | None]]) -> None:
        """Takes back what `to_json` gave; a row of another shape is passed over."""
        for row in rows:
            match row:
                case [int(pid), int() | None as domid, str() | None as name]:
                    self._keep(Owner(pid, domid, name))


def _places(data: bytes, literal: bytes) -> Iterator[int]:
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


def owner_of(path: str, dialect: LogFormat, device_models: DeviceModels | None = None) -> Subject | None:
    """The domain a log belongs to, from its path and, where that holds a pid, from the process behind it.

    Of whom only the domid is known, that is the name: whoever learns the true one puts it in its place.
    """
    found = dialect.subject.search(path) if dialect.subject else None
    if not found:
        return None
    said = {name: value for name, value in found.groupdict().items() if value}
    if "domain" in said:
        return Subject("domain", said["domain"])
    if "domid" in said:
        return Subject("domain", said["domid"], domid=int(said["domid"]))
    owner = device_models.of_process(int(said["pid"])) if device_models and "pid" in said else None
    if not owner:
        return None
    return Subject("domain", owner.name or str(owner.domid), domid=owner.domid)
