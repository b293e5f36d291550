"""The configuration of a running host as facts, and the states of its services and disks."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from xenwatch.base.errors import CommandFailed, HostError
from xenwatch.facts import config_guest, config_system, config_xen, standing
from xenwatch.facts.configuration import configuration_texts, link_list, present_and_missing, sysctl_text
from xenwatch.facts.definitions import FactRow
from xenwatch.facts.host_texts import HOST_TEXTS
from xenwatch.host.files import names_in, read_text
from xenwatch.host.host import Host
from xenwatch.host.paths import Paths

Answer = tuple[str, Iterable[FactRow]]
"""The origin of facts, and the facts."""

LIST_UNITS = ("systemctl", "list-units", "--all", "--type=service", "--plain", "--no-legend", "--no-pager")
LIST_UNIT_FILES = ("systemctl", "list-unit-files", "--type=service,target", "--no-legend", "--no-pager")
CLOCK: tuple[tuple[tuple[str, ...], Callable[[str], Iterator[FactRow]]], ...] = (
    (("timedatectl", "status"), standing.timedatectl),
    (("chronyc", "-n", "tracking"), standing.chrony_tracking),
    (("ntpq", "-pn"), standing.ntpq_peers),
)
LIST_LIVEPATCHES = ("xen-livepatch", "list")
_DEADLINE = 10.0
_SMART_DEADLINE = 15.0
_MOST_DISKS = 64
_DISK = re.compile(r"(?:[shv]d[a-z]+|nvme\d+n\d+)")


def configuration(paths: Paths) -> list[Answer]:
    """Of all files; read in a thread."""
    answers: list[Answer] = []
    named: list[str] = []
    for path, kind, text in configuration_texts(paths):
        try:
            rows = _rows(kind.definition, text)
        except HostError:
            continue
        answers.append((path, rows))
        named += [
            file for name, _, value in rows if name == "guest.files" and isinstance(value, tuple) for file in value
        ]
    text = config_guest.path_list(*present_and_missing(paths, named, read_text(paths.proc / "mounts") or ""))
    answers.append(("files of the host", config_guest.listed_paths(text)))
    answers.append(("/proc/sys", config_system.printed_sysctls(sysctl_text(paths))))
    if paths.at("/etc/xen/auto").is_dir():
        answers.append(("/etc/xen/auto", config_xen.autostart_links(link_list(paths))))
    return answers


@lru_cache(maxsize=4096)
def _rows(definition: Callable[[str], Iterator[FactRow]], text: str) -> tuple[FactRow, ...]:
    """A file that did not change since the last round is not read again."""
    return tuple(definition(text))


async def services(host: Host) -> list[Answer]:
    """Of systemd; a host without it says nothing."""
    listed, files = await asyncio.gather(
        host.runner.run(LIST_UNITS, _DEADLINE), host.runner.run(LIST_UNIT_FILES, _DEADLINE)
    )
    return [
        ("systemctl list-units", config_system.units(listed.checked().text)),
        ("systemctl list-unit-files", config_system.unit_files(files.checked().text)),
    ]


def disks_of(paths: Paths) -> list[str]:
    """The disks of this machine that may have something to say of themselves."""
    return [f"/dev/{name}" for name in names_in(paths.sys / "block") if _DISK.fullmatch(name)][:_MOST_DISKS]


async def smart_text(host: Host) -> str:
    """The disks' own verdicts. One that sleeps is not woken. Empty where smartctl is not there."""
    disks = disks_of(host.paths)
    answers = await asyncio.gather(*(_smart(host, disk) for disk in disks))
    return config_system.smart_answers((disk, text) for disk, text in zip(disks, answers, strict=True) if text)


async def _smart(host: Host, disk: str) -> str:
    try:
        return (await host.runner.run(("smartctl", "-n", "standby", "-H", disk), _SMART_DEADLINE)).text
    except HostError:
        return ""


async def smart(host: Host) -> list[Answer]:
    """The same as facts."""
    return [("smartctl -H", config_system.smart(await smart_text(host)))]


def own_texts(paths: Paths) -> list[Answer]:
    """Of the small texts that `collect` writes down as well; read in a thread."""
    return [(text.file.partition(".")[0], list(text.definition(text.text(paths)))) for text in HOST_TEXTS]


async def livepatches(host: Host) -> list[Answer]:
    """Without the program, or in a Xen that was built without them, there are none."""
    try:
        text = (await host.runner.run(LIST_LIVEPATCHES, _DEADLINE)).text
    except CommandFailed:
        text = ""
    return [(" ".join(LIST_LIVEPATCHES), standing.livepatches(text))]


async def clock(host: Host) -> list[Answer]:
    """The first of systemd's, chrony's and ntpd's tools that answers."""
    for argv, definition in CLOCK:
        try:
            text = (await host.runner.run(argv, _DEADLINE)).checked().text
        except HostError:
            continue
        if rows := list(definition(text)):
            return [(" ".join(argv), rows)]
    return []
