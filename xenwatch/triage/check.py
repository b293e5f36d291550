"""Tests what the configuration names, without starting anything: paths, rules, libvirt, the ports."""

import glob
import os
import socket
from collections import Counter
from pathlib import Path

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, XenwatchError
from xenwatch.base.plurals import count_text
from xenwatch.config.access import load_access
from xenwatch.config.assembly import collectors_of, load_rules
from xenwatch.config.listeners import guarded, refuse_open_auto, tls_of
from xenwatch.config.sections import Config, HookSettings, WebSettings
from xenwatch.config.settings import show_address
from xenwatch.config.xapi import XapiSettings, access_of
from xenwatch.host.host import open_host
from xenwatch.host.libvirt.connection import Session
from xenwatch.host.xapi.client import XapiClient
from xenwatch.logs.format import HEAD, recognise
from xenwatch.remediation.open import read_policy
from xenwatch.triage.check_finding import CheckFinding
from xenwatch.triage.check_integrations import alertmanager_findings, mcp_findings, otlp_findings
from xenwatch.web.server.loopback import is_loopback
from xenwatch.web.server.tls import ReloadingContext

LIBVIRT_DEADLINE = 10.0


async def check_up(config: Config, clock: Clock) -> list[CheckFinding]:
    """Every finding, in the order of the configuration's sections."""
    return [
        _state(config.agent.state_dir),
        *_logs(config.logs.paths),
        _collectors(config),
        await _libvirt(config, clock),
        *[await _pool(name, settings) for name, settings in config.xapi.items()],
        _rules(config),
        _policy(config.remediation.policy, config.web),
        _access(config.remediation.access),
        *_listener("web", config.web, config.web.listen),
        *_listener("hooks", config.hooks, config.hooks.listen),
        *mcp_findings(config.mcp),
        *[finding async for finding in alertmanager_findings(config.alertmanager)],
        *[finding async for finding in otlp_findings(config.otlp)],
    ]


async def _pool(name: str, settings: XapiSettings) -> CheckFinding:
    """Logs in, counts the hosts and logs out again."""
    about = f"xapi.{name}"
    try:
        client = XapiClient(access_of(name, settings))
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    try:
        hosts = await client.call("host.get_all")
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    finally:
        await client.close()
    return CheckFinding(about, "ok", f"{client.address} is the master; {count_text(len(hosts), 'host')}")


def _state(folder: Path) -> CheckFinding:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return CheckFinding("agent.state_dir", "error", f"{folder} cannot be used: this user may not write to {place}")
    words = f"{folder} can be written" if place == folder else f"{folder} does not exist yet and can be created"
    return CheckFinding("agent.state_dir", "ok", words)


def _logs(patterns: tuple[str, ...]) -> list[CheckFinding]:
    paths = sorted({path for pattern in patterns for path in glob.glob(pattern) if os.path.isfile(path)})  # noqa: PTH113, PTH207 - patterns are text, as the follower takes them
    unreadable = [path for path in paths if not os.access(path, os.R_OK)]
    findings = [CheckFinding("logs.paths", "error", f"{path} cannot be read by this user") for path in unreadable]
    formats = Counter(_format(path) for path in paths if path not in unreadable)
    if not formats:
        words = "none of these logs exists now; the agent follows them as soon as they appear"
        return [*findings, CheckFinding("logs.paths", "warning", words)]
    counts = ", ".join(f"{count} {name}" for name, count in formats.most_common())
    return [*findings, CheckFinding("logs.paths", "ok", f"{count_text(formats.total(), 'log')}: {counts}")]


def _format(path: str) -> str:
    try:
        with open(path, "rb") as log:  # noqa: PTH123 - as above
            recognised = recognise(path, log.read(HEAD))
    except OSError as error:
        return f"unreadable ({error.strerror})"
    return recognised.format.name if recognised.format else recognised.reason


def _collectors(config: Config) -> CheckFinding:
    try:
        names = [collector.name for collector in collectors_of(config.sampling)]
    except XenwatchError as error:
        return CheckFinding("sampling", "error", str(error))
    return CheckFinding("sampling", "ok", f"{count_text(len(names), 'collector')}: {', '.join(names)}")


async def _libvirt(config: Config, clock: Clock) -> CheckFinding:
    uri = config.sampling.libvirt_uri
    host = open_host(clock, libvirt_uri=uri or None)
    about = "sampling.libvirt_uri"
    if host.libvirt is None:
        return CheckFinding(about, "warning", "libvirt is not used; domains are read with xl only")
    try:
        count = await host.libvirt.run("count of domains", _running_domains, LIBVIRT_DEADLINE)
    except HostError as error:
        return CheckFinding(about, "warning", f"{error}; a running agent tries again")
    finally:
        await host.close()
    return CheckFinding(about, "ok", f"{uri} answers; {count_text(count, 'running domain')}")


def _running_domains(session: Session) -> int:
    count: int = session.call("connectNumOfDomains", session.connection.numOfDomains)
    return count


def _rules(config: Config) -> CheckFinding:
    try:
        rules = load_rules(config)
    except XenwatchError as error:
        return CheckFinding("diagnosis.rules", "error", str(error))
    return CheckFinding("diagnosis.rules", "ok", count_text(len(rules), "rule"))


def _policy(path: Path, web: WebSettings) -> CheckFinding:
    about = "remediation.policy"
    if not path.exists():
        return CheckFinding(about, "ok", f"{path} does not exist, so nothing is repaired")
    try:
        policy = read_policy(path)
        refuse_open_auto(policy, path, guarded=guarded(web))
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    rules, guests = count_text(len(policy.rules), "rule"), count_text(len(policy.inventory.guests), "guest")
    return CheckFinding(about, "ok", f"{path}: mode {policy.mode}, {rules}, {guests}")


def _access(path: Path) -> CheckFinding:
    about = "remediation.access"
    if not path.exists():
        return CheckFinding(about, "ok", f"{path} does not exist, so nobody may approve runs over HTTP or send alerts")
    try:
        access = load_access(path)
    except XenwatchError as error:
        return CheckFinding(about, "error", str(error))
    people = count_text(len(access.users), "person", "people")
    destinations = count_text(len(access.destinations), "destination")
    return CheckFinding(about, "ok", f"{path}: {people}, {destinations}")


def _listener(
    section: str, settings: WebSettings | HookSettings, address: tuple[str, int] | None
) -> list[CheckFinding]:
    if address is None:
        return []
    findings = [_port(f"{section}.listen", address)]
    try:
        files = tls_of(settings)
    except XenwatchError as error:
        return [*findings, CheckFinding(f"{section}.web_config", "error", str(error))]
    if files is None:
        if not is_loopback(address[0]):
            words = f"{show_address(address)} uses plain HTTP; others on the network can read tokens and incidents"
            findings.append(CheckFinding(f"{section}.tls_certificate", "warning", words))
        return findings
    about = f"{section}.tls_certificate"
    try:
        ReloadingContext.of(files)
    except XenwatchError as error:
        return [*findings, CheckFinding(about, "error", str(error))]
    clients = "none" if files.client_ca is None else f"signed by {files.client_ca}"
    return [
        *findings,
        CheckFinding(about, "ok", f"{files.certificate} can be used; certificates required from clients: {clients}"),
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
        return CheckFinding(
            about, "warning", f"{shown} cannot be used now: {error.strerror}; is an agent already running?"
        )
    return CheckFinding(about, "ok", f"{shown} is free")
