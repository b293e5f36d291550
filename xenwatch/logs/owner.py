"""The owner of a log: from its path, and for `qemu-dm.<pid>.log` from the device model's process."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.model.record import Chunk, LogFormat, Source
from xenwatch.model.subject import Subject


class Owner(NamedTuple):
    """A device model's process and the domain it serves; what is unknown is None."""

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


OfOneHost = Callable[[Source, Source], bool]
"""Whether two logs are of the same host: a process id means something on one host alone."""
_MOST_LOGS = 256
"""Logs that are remembered to have named an owner for the same process id."""


def _always(_one: Source, _other: Source) -> bool:
    return True


class _Learnt(NamedTuple):
    owner: Owner
    source: Source | None
    """The log that said it; None where a process said it, or the memory of an earlier run."""

    @property
    def path(self) -> str | None:
        return self.source.path if self.source else None


class DeviceModels:
    """Which process served which domain. Kept after the process is gone, up to `most` of the newest."""

    def __init__(
        self, read_command_line: Callable[[int], bytes | None] = lambda _pid: None, *, most: int = 1000
    ) -> None:
        """`read_command_line` gives the bytes of `/proc/<pid>/cmdline`, or None where there is no such process.

        By default there is none: the processes of another host are known from its logs alone.
        """
        self._read, self._most = read_command_line, most
        self._owners: dict[int, list[_Learnt]] = {}
        self._arguments: dict[str, str] = {}

    def learn(self, chunk: Chunk) -> None:
        """Takes whole lines of any log; those of a format that names device models teach their processes."""
        if chunk.source.format.names_device_models:
            self.learn_from(chunk.data, chunk.source)

    def owner(self, source: Source, of_one_host: OfOneHost = _always) -> Subject | None:
        """The domain that the log belongs to, as far as it was learnt by now from logs of the same host."""
        return source.subject or owner_of(
            source.path,
            source.format,
            lambda pid: self.of_process(pid, lambda log: log is None or of_one_host(log, source)),
        )

    def learn_record(self, text: str, source: Source | None = None) -> Owner | None:
        """Takes a record of xend.log; pids are reused, so the newest record counts.

        xend writes the arguments in one record and the pid in one of the next of the same log.
        """
        path = source.path if source else ""
        if _SPAWNING.search(text):
            self._arguments[path] = text
        owner = device_model_owner(text) or device_model_owner(f"{text}\n{self._arguments.get(path, '')}")
        if owner:
            self._keep(owner, source)
            self._arguments.pop(path, None)
        return owner

    def learn_from(self, data: bytes, source: Source | None = None) -> None:
        """Takes a chunk of xend.log; the arguments may be in one chunk and the pid in the next."""
        for at in _places(data, b"device model"):
            if data[max(at - 9, 0) : at] != b"spawning " and not data.startswith(b"device model pid", at):
                continue
            end = data.find(b"\n", at)
            line = data[data.rfind(b"\n", 0, at) + 1 : end if end >= 0 else None]
            self.learn_record(line.decode("utf-8", "replace"), source)

    def of_process(self, pid: int, counts: Callable[[Source | None], bool] = lambda _log: True) -> Owner | None:
        """From the running process, else from what was learnt last; `counts` says from which logs."""
        command_line = self._read(pid)
        owner = owner_of_process(pid, command_line) if command_line else None
        if owner:
            self._keep(owner, None)
            return owner
        return next((learnt.owner for learnt in reversed(self._owners.get(pid, [])) if counts(learnt.source)), None)

    def _keep(self, owner: Owner, source: Source | None) -> None:
        others = [learnt for learnt in self._owners.pop(owner.pid, []) if learnt.path != (source and source.path)]
        self._owners[owner.pid] = [*others[-_MOST_LOGS:], _Learnt(owner, source)]
        while len(self._owners) > self._most:
            del self._owners[next(iter(self._owners))]

    def to_json(self) -> list[list[int | str | None]]:
        return [list(learnt[-1].owner) for learnt in self._owners.values()]

    def from_json(self, rows: list[list[int | str | None]]) -> None:
        """Takes back what `to_json` gave; a row of another shape is ignored."""
        for row in rows:
            match row:
                case [int(pid), int() | None as domid, str() | None as name]:
                    self._keep(Owner(pid, domid, name), None)


def _places(data: bytes, literal: bytes) -> Iterator[int]:
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


def owner_of(
    path: str, format_: LogFormat, of_process: Callable[[int], Owner | None] = lambda _pid: None
) -> Subject | None:
    """The domain a log belongs to, from its path and, where that holds a pid, from the process behind it.

    Where only the domid is known, it stands for the name until the real one is learnt.
    """
    match = format_.subject.search(path) if format_.subject else None
    if not match:
        return None
    fields = {name: value for name, value in match.groupdict().items() if value}
    if "domain" in fields:
        return Subject("domain", fields["domain"])
    if "one" in fields:
        return Subject("domain", f"one-{fields['one']}")
    if "domid" in fields:
        return Subject("domain", fields["domid"], domid=int(fields["domid"]))
    owner = of_process(int(fields["pid"])) if "pid" in fields else None
    if not owner:
        return None
    return Subject("domain", owner.name or str(owner.domid), domid=owner.domid)


_STARTED = re.compile(
    rb"(?:[^\n]{0,200}\n){0,5}?(?:Started domain |Connected to domain |[^\n]{0,80}\b(?:x[lm]|virsh) console )"
    rb"(?:-\S+ )*['\"]?(?P<domain>[\w.:+@-]*[\w+@-])(?=['\" (\r\n])"
)
"""How the copy of a terminal begins on which somebody looked at a guest's console."""


_BEGINNING = 4096
"""Bytes in which a device model's log shows the command that started it."""


def owner_at_rest(path: str, head: bytes, format_: LogFormat) -> Subject | None:
    """The same of a saved log, where also the first lines may say it: of a console, or of a device model's log.

    Whoever saved it put them there; in a log that a guest goes on writing to, nothing is believed of it.
    """
    if owner := owner_of(path, format_):
        return owner
    found = _STARTED.match(head) if format_.guest_written else None
    if found is not None:
        return Subject("domain", found["domain"].decode())
    began = _owner(0, head[:_BEGINNING].decode("utf-8", "replace")) if format_.guest_prompts else None
    if began is None or began.domid is None:
        return None
    return Subject("domain", began.name or str(began.domid), domid=began.domid)
