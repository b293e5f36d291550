"""What stands wrong on a host without a line in any log: the same in one look at it, and in its bundle elsewhere."""

import io
import tarfile
from pathlib import Path

import pytest
from hosts.recorded import recorded_host

from xenwatch.config.sections import Config, LogSettings, SamplingSettings
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.host.host import Host
from xenwatch.triage.bundle.collect import collect
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.live_probe import look_through
from xenwatch.triage.report import Report

GUEST = """\
name = "{name}"
memory = 128
vif = [ 'mac={mac}, bridge={bridge}' ]
disk = [ '/srv/{name}.img,raw,xvda,rw' ]
vncpasswd = "geheim"
"""
HEALTHY = {
    "etc/xen/g1.cfg": GUEST.format(name="g1", mac="00:16:3e:00:00:01", bridge="xenbr0"),
    "etc/xen/lv1.cfg": GUEST.format(name="lv1", mac="00:16:3e:00:00:02", bridge="xenbr0"),
    "etc/xen/xlexample.hvm": GUEST.format(name="example.hvm", mac="00:16:3e:00:00:01", bridge="br7"),
    "etc/fstab": "UUID=1 / ext4 defaults 0 1\n",
    "boot/grub/grub.cfg": "password_pbkdf2 root grub.pbkdf2.sha512.1.ABCDEF\n multiboot2 /boot/xen.gz placeholder\n",
}
WRONG = {
    **HEALTHY,
    "etc/xen/lv1.cfg": GUEST.format(name="lv1", mac="00:16:3e:00:00:01", bridge="xenbr9"),
    "etc/xen/auto/lv1.cfg": GUEST.format(name="lv1", mac="00:16:3e:00:00:01", bridge="xenbr9"),
    "etc/fstab": "nas:/vm /srv/images nfs _netdev 0 0\n",
    "proc/mounts": "/dev/vda1 / ext4 rw 0 0\n",
}
CONFIG = Config(logs=LogSettings(paths=()), sampling=SamplingSettings(libvirt_uri=""))
Conclusions = set[tuple[str, str]]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rule, ...]:
    return rules_with((), tmp_path_factory.mktemp("cache"))


def plant(host: Host, files: dict[str, str]) -> None:
    for path, text in files.items():
        place = host.paths.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def conclusions(report: Report) -> Conclusions:
    return {(i.diagnosis.rule, str(i.diagnosis.subject)) for i in report.incidents}


async def here_and_there(
    folder: Path, rules: tuple[Rule, ...], files: dict[str, str]
) -> tuple[Conclusions, Conclusions]:
    """In one look at the host, and from what `collect` took along of it."""
    async with recorded_host() as host:
        plant(host, files)
        live = await look_through(host, CONFIG)
        into = io.BytesIO()
        await collect(host, CONFIG, into)
    (folder / "b.tar.gz").write_bytes(into.getvalue())
    return conclusions(diagnose([], rules, live=live)), conclusions(diagnose([str(folder / "b.tar.gz")], rules))


async def test_a_configuration_that_cannot_work_is_said_before_anything_fails(
    tmp_path: Path, rules: tuple[Rule, ...]
) -> None:
    here, there = await here_and_there(tmp_path, rules, WRONG)
    assert here == there
    assert here == {
        ("guest-bridge-absent", "domain/lv1"),
        ("guest-file-absent", "domain/lv1"),
        ("guest-mac-shared", "domain/g1"),
        ("nfs-not-mounted", "host/dom0"),
    }


async def test_a_healthy_host_with_the_same_files_is_quiet(tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    here, there = await here_and_there(tmp_path, rules, HEALTHY)
    assert (here, there) == (set(), set())


async def test_no_secret_of_a_configuration_leaves_the_host(tmp_path: Path, rules: tuple[Rule, ...]) -> None:
    await here_and_there(tmp_path, rules, HEALTHY)
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        files = {m.name.partition("/")[2]: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert b"bridge=xenbr0" in files["files/etc/xen/g1.cfg"]
    assert b"multiboot2" in files["files/boot/grub/grub.cfg"]
    assert not [name for name, data in files.items() if b"geheim" in data or b"ABCDEF" in data]
