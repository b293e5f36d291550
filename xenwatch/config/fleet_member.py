"""The section [fleet] as the fleet takes it: how etcd is reached, and what this host is called there."""

import os
import ssl

from xenwatch import __version__
from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.config.sections import FleetSettings
from xenwatch.fleet.coordinator import FleetCoordinator
from xenwatch.fleet.etcd import EtcdAccess, EtcdClient
from xenwatch.fleet.registry import HostRegistry, NoFleet


def etcd_access(settings: FleetSettings) -> EtcdAccess:
    """Raises InputError where a file that the section names cannot be used."""
    return EtcdAccess(
        tuple(address.rstrip("/") for address in settings.etcd), settings.user, _password(settings), _tls(settings)
    )


def member_name(settings: FleetSettings) -> str:
    """This host's, or this hub's."""
    return settings.host or os.uname().nodename


def fleet_registry(settings: FleetSettings, clock: Clock, pages: str = "") -> HostRegistry | NoFleet:
    """What the agent tells its incidents; a host without [fleet] etcd tells nobody. `pages`: where people reach it."""
    if not settings.etcd:
        return NoFleet()
    access = etcd_access(settings)
    about = {"xenwatch": __version__, "kernel": os.uname().release, "metrics": settings.metrics_address}
    about |= {"pages": pages} if pages else {}
    return HostRegistry(member_name(settings), lambda: EtcdClient(access), clock, about=about)


def fleet_coordinator(settings: FleetSettings, clock: Clock) -> FleetCoordinator | None:
    """What remediation asks before it acts; None where the host belongs to no fleet."""
    if not settings.etcd:
        return None
    access = etcd_access(settings)
    return FleetCoordinator(member_name(settings), lambda: EtcdClient(access), clock)


def _password(settings: FleetSettings) -> str:
    if settings.password_file is None:
        return ""
    try:
        return settings.password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"[fleet] password_file: {settings.password_file} cannot be read: {error}") from None


def _tls(settings: FleetSettings) -> ssl.SSLContext | None:
    if settings.tls_ca is None and settings.tls_certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_certificate is not None:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"[fleet]: the TLS files cannot be used: {error}") from None
    return context
