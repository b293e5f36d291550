"""Parsers of command output, against output recorded on Xen 4.17 and the older forms people still send."""

from pathlib import Path

from xenwatch.host.parse.bridges import parse_brctl_show, parse_bridge_link
from xenwatch.host.parse.dmsetup import parse_dmsetup
from xenwatch.host.parse.ip import parse_ip
from xenwatch.host.parse.loops import parse_losetup
from xenwatch.host.parse.lvm import parse_lvm, size_in_bytes
from xenwatch.host.parse.mdstat import parse_mdstat
from xenwatch.host.parse.memory import parse_free, parse_meminfo
from xenwatch.host.parse.mounts import Mount, holds_of, mounted_on, parse_df, parse_df_inodes, parse_mounts
from xenwatch.host.parse.table import rows_under
from xenwatch.host.parse.xenstore_ls import parse_xenstore_ls
from xenwatch.host.parse.xl_info import mebibytes, parse_info
from xenwatch.host.parse.xl_list import parse_xl_list, state_of

OUTPUT = Path(__file__).parents[3] / "hosts/xen-4.17/output"


def output(name: str) -> str:
    return (OUTPUT / name).read_text()


def test_xl_list_with_and_without_uuids() -> None:
    plain, long = parse_xl_list(output("xl_list.txt")), parse_xl_list(output("xl_list__v.txt"))
    assert [(row.name, row.domid, state_of(row.flags)) for row in plain] == [
        ("Domain-0", 0, "running"),
        ("g1", 3, "blocked"),
        ("lv1", 4, "blocked"),
    ]
    assert plain[1].memory_bytes == 128 * 1024**2
    assert long[1].uuid == "e7f8fafb-4e77-4adb-b244-9d4365e93af6"


def test_xm_list_with_a_crashed_domain_and_one_that_does_not_run() -> None:
    text = (
        "Name                                      ID Mem(MiB) VCPUs State   Time(s)\n"
        "web                                        5      512     1 ---sc-     10.5\n"
        "mail                                              256     2            0.0\n"
        "(null)                                     7        0     1 --ps-d      1.2\n"
    )
    assert [(row.name, row.domid, row.flags) for row in parse_xl_list(text)] == [
        ("web", 5, "---sc-"),
        ("mail", None, ""),
        ("(null)", 7, "--ps-d"),
    ]


def test_what_is_not_understood_behind_the_columns_of_xl_list_is_kept_for_who_must_be_strict() -> None:
    sound, cut = parse_xl_list(
        "web  3  128  1  -b----  10.1  e7f8fafb-4e77-4adb-b244-9d4365e93af6  -  system_u\n"
        "mail  4  128  1  -b----  10.1  e7f8fafb-4e77-4a\n"
    )
    assert (sound.rest, sound.uuid) == ("", "e7f8fafb-4e77-4adb-b244-9d4365e93af6")
    assert (cut.rest, cut.uuid) == ("e7f8fafb-4e77-4a", None)


def test_lines_that_are_no_rows_of_xl_list_are_passed_over() -> None:
    assert parse_xl_list("libxl: error: libxl.c:108: failed to open xenctrl\nError: xend is down\n") == []


def test_xl_info() -> None:
    info = parse_info(output("xl_info.txt"))
    assert info["xen_version"] == "4.17.5"
    assert mebibytes(info, "free_memory") == 2771 * 1024**2
    assert mebibytes(info, "no_such_key") is None


def test_brctl_show_with_two_ports_with_none_and_with_blanks_for_tabs() -> None:
    assert parse_brctl_show(output("brctl_show.txt")) == {"xenbr0": ("vif3.0", "vif4.0")}
    heading = "bridge name     bridge id               STP enabled     interfaces\n"
    assert parse_brctl_show(heading + "virbr0          8000.525400b5a1c2       yes\n") == {"virbr0": ()}


def test_bridge_link_as_json_and_as_text() -> None:
    assert parse_bridge_link(output("bridge__j_link.txt")) == {"xenbr0": ("vif3.0", "vif4.0")}
    text = "5: vif3.0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master xenbr0 state forwarding priority 32 cost 100\n"
    assert parse_bridge_link(text) == {"xenbr0": ("vif3.0",)}
    assert parse_bridge_link("[{torn") == {}


def test_ip_in_all_its_forms() -> None:
    recorded = {link.name: link for link in parse_ip(output("ip__j__s_link.txt"))}
    assert recorded["vif3.0"].master == "xenbr0"
    full = (
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq master xenbr0 state UP group default qlen 1000\n"
        "    link/ether 00:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
        "    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\n"
    )
    assert parse_ip(full) == [("eth0", "UP", "xenbr0", ("10.0.0.5",))]
    assert parse_ip("xenbr0           UP             10.0.0.5/24 fe80::1/64\n") == [
        ("xenbr0", "UP", None, ("10.0.0.5", "fe80::1"))
    ]
    old = "eth0      Link encap:Ethernet  HWaddr 00:16:3E:00:00:01\n          inet addr:10.0.0.5  Bcast:10.0.0.255\n"
    assert parse_ip(old) == [("eth0", None, None, ("10.0.0.5",))]


def test_lvm_as_text_and_as_json_give_the_same_fields() -> None:
    text, as_json = parse_lvm(output("lvs__a__o__devices.txt")), parse_lvm(output("lvs___reportformat_json.txt"))
    assert [{key: row[key] for key in ("lv_name", "vg_name", "lv_attr", "lv_size")} for row in text] == as_json
    assert text[1]["devices"] == "/dev/vdb(32)"
    assert parse_lvm(output("vgs___reportformat_json.txt"))[0]["vg_free"] == "<1.75g"
    assert parse_lvm(output("pvs___reportformat_json.txt"))[0]["pv_name"] == "/dev/vdb"


def test_a_message_of_lvm_is_no_row() -> None:
    assert parse_lvm('  Volume group "vg0" not found\n  Cannot process volume group vg0\n') == []


def test_sizes_as_lvm_prints_them() -> None:
    assert size_in_bytes("<2.00g") == 2 * 1024**3
    assert size_in_bytes("128.00m") == 128 * 1024**2
    assert size_in_bytes("465,76G") == int(465.76 * 1024**3)
    assert size_in_bytes("0") == 0
    assert size_in_bytes("big") is None


def test_empty_cells_of_a_table_are_absent() -> None:
    header = "LV   VG  Attr       LSize   Pool Origin Data%"
    (row,) = rows_under(header, ["web  vg0 swi-aos---   1.00g      root   12.50"])
    assert row == {"LV": "web", "VG": "vg0", "Attr": "swi-aos---", "LSize": "1.00g", "Origin": "root", "Data%": "12.50"}


def test_losetup_old_new_and_deleted() -> None:
    text = (
        "/dev/loop0: [0801]:131 (/var/lib/xen/images/a.img)\n"
        "/dev/loop1: []: (/var/lib/xen/images/b.img (deleted))\n"
        "/dev/loop2: [2049]:12 (/img/c.img), offset 1048576\n"
    )
    assert parse_losetup(text) == {
        "/dev/loop0": "/var/lib/xen/images/a.img",
        "/dev/loop1": "/var/lib/xen/images/b.img",
        "/dev/loop2": "/img/c.img",
    }
    heading = "NAME       SIZELIMIT OFFSET AUTOCLEAR RO BACK-FILE          DIO LOG-SEC\n"
    assert parse_losetup(heading + "/dev/loop3         0      0         1  0 /img/d.img   0     512\n") == {
        "/dev/loop3": "/img/d.img"
    }


def test_dmsetup_ls_with_and_without_the_tree() -> None:
    assert parse_dmsetup(output("dmsetup_ls___tree.txt")) == {"dsk-g1": ("254:16",), "dsk-g2": ("254:16",)}
    assert parse_dmsetup("vg0-web\t(253:3)\n") == {"vg0-web": ()}


def test_a_healthy_a_degraded_and_a_rebuilding_array() -> None:
    assert parse_mdstat(output("cat__proc_mdstat.txt")) == []
    text = (
        "Personalities : [raid1] [raid6]\n"
        "md0 : active raid1 sdb1[1] sda1[0]\n      488384 blocks [2/2] [UU]\n\n"
        "md1 : active raid1 sdb2[1](F) sda2[0]\n      488384 blocks [2/1] [U_]\n\n"
        "md2 : active raid5 sdd1[3] sdb3[1] sda3[0]\n      976768 blocks level 5, 64k chunk [3/2] [UU_]\n"
        "      [==>..................]  recovery = 12.6% (61696/488384) finish=0.5min speed=12339K/sec\n"
    )
    healthy, degraded, rebuilding = parse_mdstat(text)
    assert (healthy.failed, healthy.missing) == ((), 0)
    assert (degraded.failed, degraded.missing) == (("sdb2",), 1)
    assert (rebuilding.work, rebuilding.percent, rebuilding.missing) == ("recovery", 12.6, 1)


def test_df_with_a_wrapped_line_with_types_and_for_people() -> None:
    wrapped = (
        "Filesystem           1K-blocks      Used Available Use% Mounted on\n"
        "/dev/mapper/VolGroup00-LogVol00\n"
        "                      10000000   9999000      1000 100% /var\n"
    )
    assert parse_df(wrapped) == [("/dev/mapper/VolGroup00-LogVol00", "/var", 10_000_000 * 1024, 1000 * 1024)]
    typed = "Filesystem Type 1K-blocks Used Available Use% Mounted on\n/dev/sda1  ext4 100 60 40 60% /a b\n"
    assert parse_df(typed) == [("/dev/sda1", "/a b", 100 * 1024, 40 * 1024)]
    human = "Filesystem      Size  Used Avail Use% Mounted on\n/dev/sda1       9.8G  9.8G     0 100% /\n"
    assert parse_df(human) == [("/dev/sda1", "/", int(9.8 * 1024**3), 0)]


def test_df_of_inodes_is_not_taken_for_space_also_where_both_are_in_one_file() -> None:
    both = (
        "Filesystem     1K-blocks    Used Available Use% Mounted on\n"
        "/dev/sda1        1000000  600000    400000  60% /\n"
        "\n"
        "Filesystem      Inodes  IUsed   IFree IUse% Mounted on\n"
        "/dev/sda1        65536  65536       0  100% /\n"
        "/dev/sda2            0      0       0     - /boot/efi\n"
    )
    assert parse_df(both) == [("/dev/sda1", "/", 1_000_000 * 1024, 400_000 * 1024)]
    assert parse_df_inodes(both) == [("/", 65536, 0), ("/boot/efi", 0, 0)]


def test_what_a_file_system_holds_is_what_no_deeper_one_holds() -> None:
    mounts = [Mount("/dev/sda1", "/", "ext4", ("rw",)), Mount("/dev/sda2", "/var", "ext4", ("rw",))]
    folders = ("/", "/boot", "/var/log", "/var/lib/xen")
    assert holds_of(mounts, folders) == {"/": ("/", "/boot"), "/var": ("/var/log", "/var/lib/xen")}
    read_only = Mount("/dev/sda3", "/boot", "ext4", ("ro",))
    assert holds_of([*mounts, read_only], folders)["/"] == ("/",)


def test_proc_mounts_and_mount() -> None:
    assert parse_mounts("/dev/vg0/web /mnt/my\\040disk ext4 ro,relatime 0 0\n") == [
        ("/dev/vg0/web", "/mnt/my disk", "ext4", ("ro", "relatime"))
    ]
    assert parse_mounts("nas:/xen on /srv/xen type nfs (rw,hard)\n") == [
        ("nas:/xen", "/srv/xen", "nfs", ("rw", "hard"))
    ]


def test_meminfo_and_free() -> None:
    assert parse_meminfo(output("cat__proc_meminfo.txt"))["MemTotal"] == 912092 * 1024
    assert parse_free(output("free__m.txt"), 1024**2)["MemAvailable"] == 806 * 1024**2
    heading = "             total       used       free     shared    buffers     cached\n"
    assert parse_free(heading + "Mem:        512000     500000      12000\n") == {
        "MemTotal": 512000 * 1024,
        "MemFree": 12000 * 1024,
    }


def test_xenstore_ls_with_full_paths_with_permissions_and_as_a_tree() -> None:
    full = parse_xenstore_ls(output("xenstore_ls__f.txt"))
    assert full == parse_xenstore_ls(output("xenstore_ls__fp.txt"))
    assert full["/local/domain/0/backend/vbd/3/51712/hotplug-status"] == "connected"
    tree = 'local = ""\n domain = ""\n  0 = ""\n   name = "Domain-0"\n  5 = ""\n   name = "web"\nvm = ""\n'
    assert parse_xenstore_ls(tree)["/local/domain/5/name"] == "web"
    assert "/vm" in parse_xenstore_ls(tree)


def test_a_mounted_logical_volume_is_found_by_either_of_its_names():
    lines = "/dev/mapper/vg--guests-web--1 /mnt ext4 rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\nproc /proc proc rw 0 0\n"
    mounts = parse_mounts(lines)
    assert mounted_on(mounts) == {
        "/dev/mapper/vg--guests-web--1": "/mnt",
        "/dev/vg-guests/web-1": "/mnt",
        "/dev/sda1": "/boot",
    }


def test_a_mapping_that_is_no_logical_volume_has_one_name():
    assert list(mounted_on(parse_mounts("/dev/mapper/cryptroot / ext4 rw 0 0\n"))) == ["/dev/mapper/cryptroot"]
