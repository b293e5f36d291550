"""Writes what another person needs to diagnose this host, redacted and limited; `diagnose` reads it elsewhere."""

import asyncio
import contextlib
import io
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import xenwatch
from xenwatch.base.durations import format_size
from xenwatch.base.errors import HostError
from xenwatch.base.plurals import count_text
from xenwatch.config.sections import Config
from xenwatch.facts.config_guest import path_list
from xenwatch.facts.configuration import configuration_texts, link_list, present_and_missing, sysctl_text
from xenwatch.facts.host_texts import HOST_TEXTS
from xenwatch.facts.live_configuration import LIST_LIVEPATCHES, LIST_UNIT_FILES, LIST_UNITS, smart_text
from xenwatch.host.files import names_in, read_text
from xenwatch.host.host import Host
from xenwatch.host.kernel.bridges import read_bridges
from xenwatch.host.paths import Paths
from xenwatch.logs.sources.journald import Spawn
from xenwatch.triage.bundle.collect_logs import CollectedLog, LogFile, files_of, read_newest
from xenwatch.triage.bundle.host_record import FILE as HOST_RECORD
from xenwatch.triage.bundle.host_record import write_host_record
from xenwatch.triage.bundle.reader import rotation_order
from xenwatch.triage.bundle.redact import Redaction
from xenwatch.triage.bundle.snapshot_file import FILE, OWN_TEXT, write_snapshot
from xenwatch.triage.live_journal import journal_file
from xenwatch.triage.live_probe import look_through
from xenwatch.triage.report import SkippedFile

COMMAND_DEADLINE = 15.0
MOST_OUTPUT = 2 * 1024 * 1024
DEFAULT_LIMIT = 64 * 1024 * 1024
JOURNAL_SHARE = 4
"""The journal takes at most a fourth of the room, so that the toolstack's logs always find some."""
COMMANDS_AT_ONCE = 6
"""More of them keep a small dom0 from ending any within its deadline."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "xl_info.txt": ("xl", "info"),
    "xl_list.txt": ("xl", "list"),
    "xl_list_-v.txt": ("xl", "list", "-v"),
    "xl_vcpu-list.txt": ("xl", "vcpu-list"),
    "xl_dmesg.txt": ("xl", "dmesg"),
    "xm_info.txt": ("xm", "info"),
    "xm_list.txt": ("xm", "list"),
    "xm_dmesg.txt": ("xm", "dmesg"),
    "virsh_list.txt": ("virsh", "-r", "list", "--all"),
    "xenstore-ls_-f.txt": ("xenstore-ls", "-f"),
    "ip_addr.txt": ("ip", "addr"),
    "ip_route.txt": ("ip", "route"),
    "bridge_link.txt": ("bridge", "link"),
    "lvs.txt": ("lvs",),
    "vgs.txt": ("vgs",),
    "pvs.txt": ("pvs",),
    "losetup_-a.txt": ("losetup", "-a"),
    "dmsetup_ls.txt": ("dmsetup", "ls"),
    "df.txt": ("df", "-l"),
    "df_-i.txt": ("df", "-l", "-i"),
    "dmesg.txt": ("dmesg",),
    "ps.txt": ("ps", "-eo", "pid,stat,etime,args"),
    "systemctl_failed.txt": ("systemctl", "--failed", "--no-pager", "--plain"),
    "systemctl_list-units.txt": LIST_UNITS,
    "systemctl_list-unit-files.txt": LIST_UNIT_FILES,
    "xen-livepatch_list.txt": LIST_LIVEPATCHES,
    "timedatectl.txt": ("timedatectl", "status"),
    "chronyc_tracking.txt": ("chronyc", "-n", "tracking"),
    "ntpq_-p.txt": ("ntpq", "-pn"),
}
"""They only read; each file is named so that `diagnose` recognises the output of the command."""

_FILES = {
    "proc_mdstat.txt": "proc/mdstat",
    "proc_meminfo.txt": "proc/meminfo",
    "proc_mounts.txt": "proc/mounts",
    "proc_xen_capabilities.txt": "proc/xen/capabilities",
    "os-release.txt": "etc/os-release",
}


@dataclass(slots=True)
class Collected:
    """What went into the bundle and what did not."""

    members: int = 0
    bytes: int = 0
    redactions: int = 0
    left_out: list[SkippedFile] = field(default_factory=list)


async def collect(
    host: Host,
    config: Config,
    into: BinaryIO,
    *,
    addresses: bool = False,
    limit: int = DEFAULT_LIMIT,
    spawn: Spawn | None = None,
    progress: Callable[[str], None] = lambda _what: None,
) -> Collected:
    """Write a .tar.gz with the output of commands, a snapshot and logs, at most `limit` bytes before compression.

    `spawn` runs journalctl in another way than on this machine.
    """
    done, redaction = Collected(), Redaction(addresses=addresses)
    progress("asking this host")
    look_at = look_through(host, config, journal=limit // JOURNAL_SHARE, spawn=spawn, progress=progress)
    outputs, look = await asyncio.gather(_outputs(host, done), look_at)
    done.left_out += look.silent
    now = host.clock.now()
    root = time.strftime("xenwatch-%Y%m%dT%H%M%SZ", time.gmtime(now))
    with tarfile.open(fileobj=into, mode="w:gz", compresslevel=6) as archive:
        bundle = _Bundle(archive, root, redaction, done, limit, now)
        if look.host is not None:
            bundle.add(HOST_RECORD, write_host_record(look.host), now, redact=False)
        bundle.add("snapshot/" + FILE, write_snapshot(look.snapshot).encode(), now)
        for name, output in outputs:
            bundle.add(name if name.startswith("files/") else f"commands/{name}", output, now)
        for boot in look.boots:
            bundle.add(journal_file(boot), boot.text, boot.last)
        await asyncio.to_thread(_logs, bundle, config.logs.paths, limit, progress)
        done.redactions = redaction.count
        bundle.add("README.txt", _readme(done, addresses=addresses).encode(), now, redact=False)
    return done


@dataclass(slots=True)
class _Bundle:
    archive: tarfile.TarFile
    root: str
    redaction: Redaction
    done: Collected
    limit: int
    now: float

    def add(self, name: str, data: bytes, mtime: float, *, redact: bool = True) -> None:
        if redact:
            data = self.redaction.redacted(data)
        member = tarfile.TarInfo(f"{self.root}/{name}")
        member.size, member.mtime, member.mode = len(data), int(mtime), 0o600
        self.archive.addfile(member, io.BytesIO(data))
        self.done.members += 1
        self.done.bytes += len(data)


async def _outputs(host: Host, done: Collected) -> list[tuple[str, bytes]]:
    places = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def output(name: str, argv: tuple[str, ...]) -> bytes | SkippedFile:
        async with places:
            return await _output(host, name, argv)

    commands = asyncio.gather(*(output(name, argv) for name, argv in COMMANDS.items()))
    files = asyncio.to_thread(lambda: [*_local(host), *_configured(host.paths)])
    answers, local, smart = await asyncio.gather(commands, files, smart_text(host))
    outputs: list[tuple[str, bytes]] = []
    for name, answer in zip(COMMANDS, answers, strict=True):
        if isinstance(answer, SkippedFile):
            done.left_out.append(answer)
        elif answer:
            outputs.append((name, answer))
    return [*outputs, *local, *([("smartctl_-H.txt", smart.encode())] if smart else [])]


async def _output(host: Host, name: str, argv: tuple[str, ...]) -> bytes | SkippedFile:
    try:
        ended = await host.runner.run(argv, COMMAND_DEADLINE, limit=MOST_OUTPUT)
    except HostError as error:
        return SkippedFile(name, str(error))
    return ended.stdout if ended.returncode == 0 else ended.stdout + ended.stderr


def _local(host: Host) -> Iterator[tuple[str, bytes]]:
    """Files of the kernel, the interfaces in the format of `ip -br link`, and the bridges in the format of brctl.

    Few hosts still have brctl, and no other command that `diagnose` reads shows a bridge without ports.
    """
    for name, path in _FILES.items():
        if text := read_text(host.paths.at(path)):
            yield name, text.encode()
    rows = ["bridge name\tbridge id\t\tSTP enabled\tinterfaces"]
    for bridge in read_bridges(host.paths.sys):
        ports = [port.name for port in bridge.ports]
        rows.append(f"{bridge.name}\t\t8000.000000000000\tno\t\t{ports[0] if ports else ''}".rstrip())
        rows += [f"\t\t\t\t\t\t\t{port}" for port in ports[1:]]
    yield "brctl_show.txt", ("\n".join(rows) + "\n").encode()
    net = host.paths.sys / "class/net"
    states = {name: (read_text(net / name / "operstate") or "unknown").upper() for name in names_in(net)}
    if states:
        yield "ip_-br_link.txt", "".join(f"{name:<16} {state}\n" for name, state in states.items()).encode()


def _configured(paths: Paths) -> Iterator[tuple[str, bytes]]:
    """The files that configure Xen, its guests and dom0, under their own paths, and which files the guests need."""
    files: list[str] = []
    for path, kind, text in configuration_texts(paths):
        yield f"files{path}", text.encode()
        with contextlib.suppress(HostError):
            rows = list(kind.definition(text))
            files += [f for name, _, value in rows if name == "guest.files" and isinstance(value, tuple) for f in value]
    yield (
        "guest_files.txt",
        path_list(*present_and_missing(paths, files, read_text(paths.proc / "mounts") or "")).encode(),
    )
    if switches := sysctl_text(paths):
        yield "sysctl.txt", switches.encode()
    for own in HOST_TEXTS:
        yield own.file, own.text(paths).encode()
    if links := link_list(paths):
        yield "etc_xen_auto.txt", links.encode()


def _logs(bundle: _Bundle, patterns: Sequence[str], limit: int, progress: Callable[[str], None]) -> None:
    """Take the newest logs until the room is used up; write them in the order in which they are to be read."""
    room = limit - bundle.done.bytes
    chosen: list[CollectedLog] = []
    for log in sorted(files_of(patterns), key=lambda log: -log.mtime):
        progress(log.path)
        taken = read_newest(log, room)
        if isinstance(taken, SkippedFile):
            bundle.done.left_out.append(taken)
            continue
        if taken.cut:
            bundle.done.left_out.append(SkippedFile(log.path, f"the first {format_size(taken.cut)}"))
        room -= len(taken.data)
        chosen.append(taken)
    for taken in sorted(chosen, key=lambda taken: _order(taken.log)):
        bundle.add(f"logs/{taken.log.path.lstrip('/')}", taken.data, taken.log.mtime)


def _order(log: LogFile) -> tuple[str, tuple[bool, str, tuple[int, str, int], str]]:
    folder, _, name = log.path.rpartition("/")
    return folder, rotation_order(name)


def _readme(done: Collected, *, addresses: bool) -> str:
    lines: Iterable[str] = (f"  {source.path}: {source.reason}" for source in done.left_out)
    replaced = count_text(done.redactions, "secret or address was", "secrets and addresses were")
    masked = "replaced, each by the same other address" if addresses else "unchanged (--mask-addresses replaces them)"
    return "\n".join(
        [
            f"{OWN_TEXT.decode()}{xenwatch.__version__}; read it with: xenwatch diagnose THIS-FILE",
            f"{replaced} replaced. MAC and IP addresses are {masked}.",
            "Names of guests, hosts, users and disks are unchanged. Look through the bundle before you hand it on.",
            "",
            "Missing from the bundle:",
            *lines,
            "",
        ]
    )
