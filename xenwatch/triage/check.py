"""Tries what the configuration names, without starting anything: paths, rules, libvirt, the port."""

import glob
import os
import socket
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, XenwatchError
from xenwatch.config.access import load_access
from xenwatch.config.assembly import collectors_of, load_rules
from xenwatch.config.listeners import guarded, refuse_open_auto, tls_of
from xenwatch.config.sections import Config, HookSettings, WebSettings
from xenwatch.config.settings import show_address
from xenwatch.host.host import open_host
from xenwatch.host.libvirt.connection import Session
from xenwatch.logs.format import HEAD, recognise
from xenwatch.remediation.open import read_policy
from xenwatch.web.app import is_loopback
from xenwatch.web.tls import Rereading

Verdict = Literal["ok", "warning", "error"]
LIBVIRT_DEADLINE = 10.0


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What came of one try. A warning does not keep the agent from starting, an error does."""

    about: str
    verdict: Verdict
    words: str


async def check_up(config: Config, clock: Clock) -> list[CheckFinding]:
    """Every finding, in the order of the configuration's sections."""
    return [
        _state(config.agent.state_dir),
        *_logs(config.logs.paths),
        _collectors(config),
        await _libvirt(config, clock),
        _rules(config),
        _policy(config.remediation.policy, config.web),
        _access(config.remediation.access),
        *_listener("web", config.web, config.web.listen),
        *_listener("hooks", config.hooks, config.hooks.listen),
    ]


def _state(folder: Path) -> CheckFinding:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return CheckFinding("agent.state_dir", "error", f"{folder}: {place} cannot be written by this user")
    words = f"{folder} can be written" if place == folder else f"{folder} is not there yet and can be made"
    return CheckFinding("agent.state_dir", "ok", words)


def _logs(patterns: tuple[str, ...]) -> list[CheckFinding]:
    found = sorted({path for pattern in patterns for path in glob.glob(pattern) if os.path.isfile(path)})  # noqa: PTH113, PTH207 - patterns are text, as the follower takes them
    unreadable = [path for path in found if not os.access(path, os.R_OK)]
    findings = [CheckFinding("logs.paths", "error", f"{path} cannot be read by this user") for path in unreadable]
    dialects = Counter(_dialect(path) for path in found if path not in unreadable)
    if not dialects:
        return [*findings, CheckFinding("logs.paths", "warning", "no such log is there now; it is waited for")]
    told = ", ".join(f"{count} {name}" for name, count in dialects.most_common())
    return [*findings, CheckFinding("logs.paths", "ok", f"{dialects.total()} logs: {told}")]


def _dialect(path: str) -> str:
    try:
        with open(path, "rb") as log:  # noqa: PTH123 - as above
            known = recognise(path, log.read(HEAD))
    except OSError as error:
        return f"unreadable ({error.strerror})"
    return known.format.name if known.format else known.reason


def _collectors(config: Config) -> CheckFinding:
    try:
        names = [collector.name for collector in collectors_of(config.sampling)]
    except XenwatchError as error:
        return CheckFinding("sampling", "error", str(error))
    return CheckFinding("sampling", "ok", f"{len(names)} collectors: {', '.join(names)}")


async def _libvirt(config: Config, clock: Clock) -> CheckFinding:
    uri = config.sampling.libvirt_uri
    host = open_host(clock, libvirt_uri=uri or None)
    about = "sampling.libvirt_uri"
    if host.libvirt is None:
        return CheckFinding(about, "warning", "libvirt is not asked; domains come from xl alone")
    try:
        count = await host.libvirt.run("count of domains", _running_domains, LIBVIRT_DEADLINE)
    except HostError as error:
        return CheckFinding(about, "warning", f"{error}; it is tried again and again while the agent runs")
    finally:
        await host.close()
    return CheckFinding(about, "ok", f"{uri} answers; {count} domains run")


def _running_domains(session: Session) -> int:
    count: int = session.call("connectNumOfDomains", session.connection.numOfDomains)
    return count


def _rules(config: Config) -> CheckFinding:
    try:
        rules = load_rules(config)
    except XenwatchError as error:
        return CheckFinding("diagnosis.rules", "error", str(error))
    return CheckFinding("diagnosis.rules", "ok", f"{len(rules)} rules")


def _policy(path: Path, web: WebSettings) -> CheckFinding:
    about = "remediation.policy"
    if not path.exists():
        return CheckFinding(about, "ok", f"{path}: no such file, so nothing is put right")
    try:
        read = read_policy(path)
        refuse_open_auto(read, path, guarded=guarded(web))
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    rules, guests = len(read.rules), len(read.inventory.guests)
    return CheckFinding(about, "ok", f"{path}: mode {read.mode}, {rules} rules, {guests} guests")


def _access(path: Path) -> CheckFinding:
    about = "remediation.access"
    if not path.exists():
        return CheckFinding(about, "ok", f"{path}: no such file, so nobody may consent over HTTP or send alerts")
    try:
        read = load_access(path)
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    return CheckFinding(about, "ok", f"{path}: {len(read.people)} persons, {len(read.destinations)} destinations")


def _listener(section: str, said: WebSettings | HookSettings, address: tuple[str, int] | None) -> list[CheckFinding]:
    if address is None:
        return []
    found, files = [_port(f"{section}.listen", address)], tls_of(said)
    if files is None:
        if not is_loopback(address[0]):
            words = f"{show_address(address)} speaks plain HTTP; whoever is on the way reads tokens and incidents"
            found.append(CheckFinding(f"{section}.tls_certificate", "warning", words))
        return found
    about = f"{section}.tls_certificate"
    try:
        Rereading.of(files)
    except XenwatchError as error:
        return [*found, CheckFinding(about, "error", str(error))]
    asked = "none" if files.client_ca is None else f"of {files.client_ca}"
    return [
        *found,
        CheckFinding(about, "ok", f"{files.certificate} can be used; certificates asked of clients: {asked}"),
    ]


def _port(about: str, address: tuple[str, int]) -> CheckFinding:
    host, port = address
    shown = show_address(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        return CheckFinding(about, "warning", f"{shown} cannot be used now: {error.strerror}; is an agent running?")
    return CheckFinding(about, "ok", f"{shown} is free")
