"""A real etcd with TLS, certificates of clients and users, as [fleet] names them: who lacks one of them is kept out."""

import asyncio
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fleet.etcd_cluster import EtcdCluster
from monitoring.certificates import Authority

from xenwatch.base.clock import SystemClock
from xenwatch.config.fleet_member import etcd_access, fleet_registry
from xenwatch.config.loader import load_config
from xenwatch.config.sections import FleetSettings
from xenwatch.fleet.etcd import EtcdAccess, EtcdClient, EtcdRefused, EtcdUnavailable
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.registry import HostRegistry
from xenwatch.fleet.rule import fleet_rules

pytestmark = pytest.mark.timeout(300)
RIGHTS = {
    "xen1": (("readwrite", "/xenwatch/hosts/xen1/"),),
    "hub": (("readwrite", "/xenwatch/fleet/"), ("read", "/xenwatch/")),
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secured(tmp_path: Path, authority: Authority) -> Iterator[EtcdCluster]:
    """As docs/fleet.md sets it up: three members, TLS on all sides, a user for each who writes."""
    if shutil.which("etcd") is None or shutil.which("etcdctl") is None:
        pytest.skip("Debian's etcd-server and etcd-client are not installed; packaging/setup.sh test installs them")
    with EtcdCluster(tmp_path, authority=authority).running() as cluster:
        cluster.control("user", "add", "root:secret")
        cluster.control("user", "grant-role", "root", "root")
        for user, rights in RIGHTS.items():
            cluster.control("role", "add", user)
            for right, prefix in rights:
                cluster.control("role", "grant-permission", user, "--prefix=true", right, prefix)
            cluster.control("user", "add", f"{user}:secret-of-{user}")
            cluster.control("user", "grant-role", user, user)
        cluster.control("auth", "enable")
        yield cluster


def section(cluster: EtcdCluster, authority: Authority, user: str, folder: Path) -> FleetSettings:
    """What an administrator writes on that machine."""
    certificate, key = authority.sign(user, common_name=False)
    password = folder / f"{user}.password"
    password.write_text(f"secret-of-{user}\n")
    file = folder / f"{user}.toml"
    file.write_text(
        f'[fleet]\netcd = {list(cluster.endpoints)}\nhost = "{user}"\nuser = "{user}"\npassword_file = "{password}"\n'
        f'tls_ca = "{authority.certificate}"\ntls_certificate = "{certificate}"\ntls_key = "{key}"\n'
    )
    return load_config(file, {}).config.fleet


async def test_a_host_and_a_hub_meet_in_an_etcd_with_tls_certificates_and_users(secured, authority, until, tmp_path):
    registry = fleet_registry(section(secured, authority, "xen1", tmp_path), SystemClock())
    access = etcd_access(section(secured, authority, "hub", tmp_path))
    hub = Hub("hub", lambda: EtcdClient(access), fleet_rules(), SystemClock())
    assert isinstance(registry, HostRegistry)
    running = [asyncio.create_task(part.run()) for part in (registry, hub)]
    try:
        await until(lambda: "xen1" in hub.view.hosts and hub.is_leader)
        assert (registry.failures, hub.failures) == (0, 0)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_a_certificate_is_no_user_a_user_no_certificate_and_another_authority_neither(
    secured, authority, tmp_path
):
    whole = etcd_access(section(secured, authority, "xen1", tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    no_user = EtcdAccess(secured.endpoints, tls=whole.tls)
    no_certificate = etcd_access(FleetSettings(etcd=secured.endpoints, tls_ca=authority.certificate))
    with_a_name = ssl.create_default_context(cafile=authority.certificate)
    with_a_name.load_cert_chain(*authority.sign("xen1"))
    no_trust = etcd_access(FleetSettings(etcd=secured.endpoints, tls_ca=Authority(other).certificate))
    for access, kept_out, says in (
        (no_user, EtcdRefused, "user name is empty"),
        (no_certificate, EtcdUnavailable, "no member of etcd answers"),
        (replace(whole, tls=with_a_name), EtcdRefused, "CommonName of client .* will be ignored"),
        (no_trust, EtcdUnavailable, "CERTIFICATE_VERIFY_FAILED"),
    ):
        client = EtcdClient(access)
        try:
            with pytest.raises(kept_out, match=says):
                await client.list_below("/xenwatch/hosts/xen1/")
        finally:
            await client.close()
