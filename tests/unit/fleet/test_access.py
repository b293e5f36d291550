"""Users and passwords of a real etcd; a host's user writes below its own prefix alone."""

from pathlib import Path

import pytest

from xenwatch.base.errors import ConfigError, InputError
from xenwatch.config.fleet_member import etcd_access
from xenwatch.config.loader import load_config
from xenwatch.fleet.etcd import EtcdAccess, EtcdClient, EtcdRefused

pytestmark = pytest.mark.timeout(300)


async def test_a_host_can_write_only_what_is_its_own(etcd):
    etcd.control("user", "add", "root:secret")
    etcd.control("user", "grant-role", "root", "root")
    etcd.control("role", "add", "xen1")
    etcd.control("role", "grant-permission", "xen1", "--prefix=true", "readwrite", "/xenwatch/hosts/xen1/")
    etcd.control("user", "add", "xen1:own")
    etcd.control("user", "grant-role", "xen1", "xen1")
    etcd.control("auth", "enable")
    client = EtcdClient(EtcdAccess(etcd.endpoints, "xen1", "own"))
    stranger = EtcdClient(EtcdAccess(etcd.endpoints, "xen1", "wrong"))
    try:
        lease = await client.grant_lease(30)
        await client.put("/xenwatch/hosts/xen1/self", "{}", lease)
        assert await client.keep_alive(lease)
        with pytest.raises(EtcdRefused, match="permission"):
            await client.put("/xenwatch/hosts/xen2/self", "{}")
        with pytest.raises(EtcdRefused, match="xen1"):
            await stranger.put("/xenwatch/hosts/xen1/self", "{}")
    finally:
        await client.close()
        await stranger.close()


def test_the_section_says_where_etcd_is_and_how_it_is_reached(tmp_path: Path):
    (tmp_path / "password").write_text("own\n")
    file = tmp_path / "xenwatch.toml"
    file.write_text(
        f'[fleet]\netcd = ["https://10.0.0.1:2379/"]\nuser = "xen1"\npassword_file = "{tmp_path / "password"}"\n'
    )
    access = etcd_access(load_config(file, {}).config.fleet)
    assert (access.endpoints, access.user, access.password) == (("https://10.0.0.1:2379",), "xen1", "own")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('etcd = ["10.0.0.1:2379"]', "must begin with https://"),
        ('host = "a/b"', "slash"),
        ('user = "xen1"', "password_file"),
        ('tls_key = "/etc/key.pem"', "tls_certificate"),
    ],
)
def test_what_contradicts_itself_there_is_said_with_its_key(line: str, says: str, tmp_path: Path):
    file = tmp_path / "xenwatch.toml"
    file.write_text(f"[fleet]\n{line}\n")
    with pytest.raises(ConfigError, match=says):
        load_config(file, {})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    file = tmp_path / "xenwatch.toml"
    file.write_text('[fleet]\netcd = ["https://10.0.0.1:2379"]\ntls_ca = "/nowhere/ca.pem"\n')
    with pytest.raises(InputError, match="TLS files"):
        etcd_access(load_config(file, {}).config.fleet)
