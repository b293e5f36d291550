"""Facts about dom0's own configuration: fstab, exports, sysctl, services, and what the disks say of themselves."""

from collections.abc import Iterable, Iterator, Mapping

from xenwatch.base import lazy_re as re
from xenwatch.facts.definitions import FactRow
from xenwatch.host.parse.mounts import NETWORK_TYPES, parse_mounts
from xenwatch.model.subject import HOST, Subject

SYSCTLS = {
    "net.ipv4.ip_forward": "sysctl.ip_forward",
    "net.ipv4.conf.all.proxy_arp": "sysctl.proxy_arp",
    "net.ipv4.conf.all.rp_filter": "sysctl.rp_filter",
    "net.bridge.bridge-nf-call-iptables": "sysctl.bridge_nf_call_iptables",
}
_SYSCTL = re.compile(r"^(?P<key>[\w./-]+) = (?P<value>-?\d+)$", re.MULTILINE)
_ANSWERS_FOR_OTHERS = re.compile(r"net\.ipv4\.conf\.(?P<interface>.+)\.proxy_arp")
_UNIT = re.compile(
    r"^\W*(?P<unit>[\w@:.\\-]+)\.service\s+(?P<load>[\w-]+)\s+(?P<active>[a-z]+)\s+(?P<sub>[\w-]+)", re.MULTILINE
)
_UNIT_FILE = re.compile(r"^(?P<unit>[\w@:.\\-]+)\.(?P<kind>service|target)\s+(?P<state>[a-z-]+)", re.MULTILINE)
_OFF = ("disabled", "masked", "masked-runtime")
_ON = ("enabled", "enabled-runtime", "alias")
_RUNLEVELS = re.compile(
    r"^(?P<service>[\w@.-]+)\s+0:\w+\s+1:\w+\s+(?P<levels>(?:[2-5]:\w+\s+){4})6:\w+\s*$", re.MULTILINE
)
_SMART_DISK = re.compile(r"^# (?P<disk>/dev/\S+)$", re.MULTILINE)
_SMART = re.compile(
    r"(?:SMART overall-health self-assessment test result|SMART Health Status):\s*(?P<verdict>[^\n]+?)\s*$",
    re.MULTILINE,
)
_SOUND = ("PASSED", "OK")
_MANUAL = ("noauto", "x-systemd.automount", "nofail")


def fstab(text: str) -> Iterator[FactRow]:
    """Of /etc/fstab: where the file systems of servers are to be mounted at boot, come what may."""
    entries = parse_mounts("\n".join(" ".join(line.split()) for line in text.splitlines() if not _is_comment(line)))
    network = [e for e in entries if e.type in NETWORK_TYPES and not set(e.options) & set(_MANUAL)]
    yield "fstab.network_points", HOST, tuple(entry.point.rstrip("/") or "/" for entry in network)


def exports(text: str) -> Iterator[FactRow]:
    """Of /etc/exports: the folders that this host serves by NFS."""
    yield "nfs.exports", HOST, tuple(line.split()[0] for line in text.splitlines() if line.strip() and line[0] == "/")


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def printed_sysctls(text: str) -> Iterator[FactRow]:
    """Of `sysctl -a`."""
    return sysctls({found["key"]: found["value"] for found in _SYSCTL.finditer(text)})


def sysctls(values: Mapping[str, str]) -> Iterator[FactRow]:
    """The kernel's switches that decide whether routed and filtered guests are reached, by the keys of sysctl."""
    for key, name in SYSCTLS.items():
        if (value := values.get(key, "")).lstrip("-").isdigit():
            yield name, HOST, int(value)
    answers = {found["interface"]: value for key, value in values.items() if (found := _ANSWERS_FOR_OTHERS.match(key))}
    if answers:
        yield "sysctl.proxy_arp_interfaces", HOST, tuple(name for name, value in answers.items() if value == "1")


def units(text: str) -> Iterator[FactRow]:
    """Of `systemctl list-units` and `--failed`."""
    for found in _UNIT.finditer(text):
        yield "unit.state", Subject("daemon", found["unit"]), found["active"]


def unit_files(text: str) -> Iterator[FactRow]:
    """Of `systemctl list-unit-files`: services that are started with the host, and those that are not.

    A target keeps its ending: `remote-fs.target`.
    """
    found = [
        (f["unit"] if f["kind"] == "service" else f"{f['unit']}.target", f["state"]) for f in _UNIT_FILE.finditer(text)
    ]
    yield "units.off", HOST, tuple(unit for unit, state in found if state in _OFF)
    yield "units.on", HOST, tuple(unit for unit, state in found if state in _ON)


def runlevels(text: str) -> Iterator[FactRow]:
    """The same of `chkconfig --list`, on hosts before systemd: on where any of the runlevels 2 to 5 has the service."""
    services = {found["service"]: ":on" in found["levels"] for found in _RUNLEVELS.finditer(text)}
    if services:
        yield "units.off", HOST, tuple(name for name, on in services.items() if not on)
        yield "units.on", HOST, tuple(name for name, on in services.items() if on)


def smart_answers(answers: Iterable[tuple[str, str]]) -> str:
    """What `smartctl -H` said of several disks as one text: it does not print itself which one it was asked about."""
    return "".join(f"# {disk}\n{text.rstrip()}\n" for disk, text in answers)


def smart(text: str) -> Iterator[FactRow]:
    """Of `smartctl -H`: disks that foretell their own failure."""
    disks = [found["disk"] for found in _SMART_DISK.finditer(text)]
    pieces = _SMART_DISK.split(text)[2::2] if disks else [text]
    verdicts = {
        disk: found["verdict"]
        for disk, piece in zip(disks or ["a disk"], pieces, strict=True)
        if (found := _SMART.search(piece))
    }
    if verdicts:
        yield "smart.failed", HOST, tuple(d for d, verdict in verdicts.items() if verdict.upper() not in _SOUND)
