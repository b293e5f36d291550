"""Configurations as people, xl and libvirt write them."""

import pytest

from xenwatch.host.parse.xl_info import parse_info
from xenwatch.remediation.preflight.guest_config import Disk, Vif, from_file, from_json, from_xml
from xenwatch.remediation.preflight.memory import needed_mib


@pytest.mark.parametrize(
    ("spec", "disk"),
    [
        ("phy:/dev/vg0/web,xvda,w", Disk("/dev/vg0/web", "xvda", True)),
        ("phy:vg0/web,xvda,w", Disk("/dev/vg0/web", "xvda", True)),
        ("phy:/dev/vg0/web,xvda1,r", Disk("/dev/vg0/web", "xvda1", False)),
        ("file:/srv/web.img,hda,w", Disk("/srv/web.img", "hda", True)),
        ("tap:aio:/srv/web.img,xvda,w", Disk("/srv/web.img", "xvda", True)),
        ("tap2:tapdisk:aio:/srv/web.img,xvda,w", Disk("/srv/web.img", "xvda", True)),
        ("/dev/vg0/web,raw,xvda,rw", Disk("/dev/vg0/web", "xvda", True)),
        ("/dev/vg0/web,raw,xvda,ro", Disk("/dev/vg0/web", "xvda", False)),
        ("format=raw, vdev=xvda, access=rw, target=/dev/vg0/web", Disk("/dev/vg0/web", "xvda", True)),
        ("file:/srv/cd.iso,hdc:cdrom,r", Disk("/srv/cd.iso", "hdc", False, True)),
        ("/srv/cd.iso,,hdc,cdrom", Disk("/srv/cd.iso", "hdc", False, True)),
    ],
)
def test_a_disk_is_read_in_every_spelling(spec, disk):
    config = from_file(f"name = 'web'\nmemory = 512\ndisk = [ '{spec}' ]\n")
    assert config is not None
    assert config.disks == (disk,)


def test_an_xm_file_is_read():
    text = "# old\nkernel = '/boot/vmlinuz'\nmemory = 256\nname = \"old\"\n"
    text += "vif = [ 'mac=00:16:3E:00:00:01, bridge=br1' ]\nvcpus=2;\n"
    config = from_file(text)
    assert config is not None
    assert (config.name, config.kind, config.memory_mib, config.vcpus) == ("old", "pv", 256, 2)
    assert config.vifs == (Vif("br1", "00:16:3E:00:00:01"),)
    assert config.files == ("/boot/vmlinuz",)


def test_an_hvm_guest_and_what_forbids_moving_it_are_seen():
    config = from_file("builder = 'hvm'\nname = 'w'\nmemory = 512\nmaxmem = 1024\npci = ['03:00.0']\nnestedhvm = 1\n")
    assert config is not None
    assert (config.kind, config.obstacles) == ("hvm", ("pci", "nestedhvm"))
    assert needed_mib(config) == 524


@pytest.mark.parametrize(
    "text", ["name = gethostname()", "memory = 'much'", "(vm (name x))", "disk = 3", "\0", "name = " + "(" * 9999]
)
def test_what_cannot_be_read_without_running_it_cannot_be_told(text):
    assert from_file(text) is None


def test_what_libxl_prints_is_read():
    text = (
        '[{"domid": 3, "config": {"c_info": {"type": "pv", "name": "g1", "uuid": "u"}, "b_info": {"max_memkb": 131072, '
    )
    text += '"target_memkb": 131072, "kernel": "/k", "disable_migrate": "True", "type.pv": {}}, '
    text += '"disks": [{"pdev_path": "/dev/d", '
    text += '"vdev": "xvda", "readwrite": 1}], "nics": [{"mac": "m", "bridge": "xenbr0"}]}}]'
    config = from_json(text)
    assert config is not None
    assert (config.name, config.memory_mib, config.files, config.obstacles) == ("g1", 128, ("/k",), ("nomigrate",))
    assert config.disks == (Disk("/dev/d", "xvda", True),)
    assert from_json("") is None
    assert from_json("[]") is None


def test_what_libvirt_prints_is_read_and_entities_are_not():
    text = (
        "<domain type='xen'><name>lv1</name><memory unit='KiB'>131072</memory>"
        "<currentMemory unit='KiB'>131072</currentMemory>"
        "<vcpu>1</vcpu><os><type machine='xenpv'>linux</type><kernel>/k</kernel></os>"
        "<devices><disk><source dev='/dev/dsk/g2'/>"
        "<target dev='xvda'/></disk><interface><mac address='m'/><source bridge='b'/></interface></devices></domain>"
    )
    config = from_xml(text)
    assert config is not None
    assert (config.disks, config.vifs) == ((Disk("/dev/dsk/g2", "xvda", True),), (Vif("b", "m"),))
    assert from_xml("<!DOCTYPE x [<!ENTITY a 'b'>]><domain>&a;</domain>") is None
    assert from_xml("<domain") is None


def test_xl_info_is_read_as_pairs():
    assert parse_info("free_memory            : 2048\nxen_caps : a b\n\n")["free_memory"] == "2048"
