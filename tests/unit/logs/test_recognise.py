"""Which format a file is taken for, by its name or because the name says nothing."""

import pytest

from xenwatch.logs.format import all_formats, by_name, recognise

NAMES = {
    "/var/log/xen/xend.log": "xend",
    "/var/log/xen/xend.log.5": "xend",
    "/tmp/tmpA1b2C3-xend.log": "xend",
    "/var/log/xen/xend-debug.log": "xend-debug",
    "/var/log/xen/xen-hotplug.log": "hotplug",
    "/var/log/messages": "syslog",
    "/var/log/messages-20240501": "syslog",
    "/var/log/syslog.2.gz": "syslog",
    "/var/log/daemon.log": "syslog",
    "/var/log/kern.log": "kernel",
    "/var/log/dmesg": "kernel",
    "sos_commands/kernel/dmesg_-T": "kernel",
    "/var/log/xen/qemu-dm.4711.log": "qemu-dm",
    "/var/log/xen/qemu-dm-5.log": "qemu-dm",
    "/var/log/xen/qemu-dm-web.log.3": "qemu-dm",
    "/var/log/xen/xl-web.log": "xl",
    "/var/log/xen/xl-web.log.10": "xl",
    "/var/log/libvirt/libxl/libxl-driver.log": "libxl",
    "/var/log/libvirt/libxl/web.log": "libxl",
    "/var/log/libvirt/libvirtd.log": "libvirt",
    "/var/log/libvirt/virtxend.log": "libvirt",
    "/var/log/xen/bootloader.5.log": "bootloader",
    "/var/log/xen/domain-builder-ng.log": "domain-builder",
    "/var/log/xen/console/hypervisor.log": "hypervisor",
    "xl_dmesg.txt": "hypervisor",
    "xm-dmesg.out": "hypervisor",
    "/var/log/xen/console/guest-web.log": "console",
    "/var/log/xen/console/guest-web.log.1": "console",
    "web-console.txt": "console",
    "/var/log/xen/xenstored.log": "xenstored",
    "/var/log/xen/xenstored-access.log": "xenstored",
    "/var/log/xen/xenstored-trace.log": "xenstored",
    "/root/.virt-manager/virt-manager.log.2": "virt-manager",
    "/root/.cache/virt-manager/virt-install.log": "virt-install",
    "/var/log/xensource.log": "xapi",
    "/var/log/SMlog.1": "sm",
    "/var/log/qubes/guid.work.log": "qubes",
    "stderr.log": "stderr",
}


@pytest.mark.parametrize(("path", "format_"), NAMES.items(), ids=NAMES)
def test_a_known_name_says_the_dialect(path: str, format_: str) -> None:
    found = by_name(path)
    assert found is not None
    assert found.name == format_


@pytest.mark.parametrize(
    "path", ["xend.log.conf", "notes-about-xend.txt", "SMlogbook", "/etc/xen/xl.conf", "mysyslogger", "guest.cfg"]
)
def test_a_name_that_only_resembles_one_says_nothing(path: str) -> None:
    assert by_name(path) is None


def test_the_hypervisors_log_in_the_consoles_folder_is_not_a_guests() -> None:
    found = by_name("/var/log/xen/console/hypervisor.log")
    assert found is not None
    assert not found.guest_written


def test_a_console_of_no_telling_name_is_a_guests_even_when_its_kernel_fills_it() -> None:
    kernel = b"".join(b"[    %d.000000] xen_netfront: Initialising Xen virtual ethernet driver\n" % n for n in range(9))
    found = recognise("capture", b"Logfile Opened\n" + kernel).format
    assert found is not None
    assert found.guest_written


def test_a_console_that_begins_with_the_command_that_started_the_guest_is_a_terminal() -> None:
    typed = b"xl create network.xl -c\nParsing config from network.xl\nMirageOS booting...\n"
    assert recognise("console.txt", typed).format == all_formats()["stderr"]
    assert (
        recognise("console.txt", b"> # xl create web.cfg\n> Parsing config from web.cfg\n").format
        == all_formats()["stderr"]
    )


def test_a_console_on_which_the_guest_speaks_of_such_a_command_later_is_the_guests() -> None:
    found = recognise("console.txt", b"MirageOS booting...\nxl create network.xl -c\n").format
    assert found is not None
    assert found.guest_written
    named = recognise("/var/log/xen/console/guest-web.log", b"xl create web.cfg\n").format
    assert named is not None
    assert named.guest_written


def test_a_ring_that_xenconsoled_opened_is_the_hypervisors_and_not_a_guests() -> None:
    stamp = b"[2026-11-22 20:43:31] "
    head = stamp + b"Logfile Opened\n" + (stamp + b"(XEN) Bootloader: qemu\n") * 3
    found = recognise("capture", head).format
    assert found is not None
    assert found.name == "hypervisor"


def test_a_kernels_log_that_xenconsoled_stamped_is_a_guests() -> None:
    kernel = b"".join(b"[2026-03-28 22:39:25] [    2.%06d] xen_netfront: Initialising\n" % n for n in range(9))
    found = recognise("kernel.log", kernel).format
    assert found is not None
    assert found.guest_written


def test_a_kernels_log_with_its_own_stamps_is_no_guests() -> None:
    kernel = b"".join(b"[    2.%06d] xen_netfront: Initialising\n" % n for n in range(9))
    found = recognise("kernel.log", b"[2026-03-28 22:39:25] [    2.000000] quoted\n" + kernel).format
    assert found is not None
    assert found.name == "kernel"


@pytest.mark.parametrize(
    "head",
    [b"\x7fELF\x02\x01\x01", b"\0" * 4096, bytes(range(256)) * 64, b"SQLite format 3\0" + b"\1\2\3" * 200],
    ids=["program", "holes", "noise", "database"],
)
def test_binary_data_is_refused_with_its_reason(head: bytes) -> None:
    found = recognise("core.4711", head)
    assert found.format is None
    assert found.reason == "binary"


def test_runs_of_nul_in_a_log_do_not_make_it_binary() -> None:
    line = b"[2011-05-18 20:55:04 xend 3456] DEBUG (DevController:160) Waiting for devices vif.\n"
    found = recognise("torn", line + b"\0" * 9000 + line)
    assert found.format is not None
    assert found.format.name == "xend"


def test_text_in_another_tongue_is_text() -> None:
    found = recognise("notes", "ドメインの起動に失敗しました\n".encode() * 3)
    assert found.format is not None
    assert found.format.name == "stderr"


def test_latin_1_is_text() -> None:
    found = recognise("notes", "Gerät ist belegt, läuft für nächste Übung\n".encode("latin-1") * 3)
    assert found.format is not None


def test_an_empty_file_is_nothing_unless_its_name_says_what_will_be_written() -> None:
    assert recognise("scratch", b"").reason == "empty"
    assert recognise("/var/log/xen/xen-hotplug.log", b"").format is by_name("xen-hotplug.log")


def test_a_log_quoted_in_a_mail_is_known_by_its_content():
    head = b"> > (XEN) Xen call trace:\n> > (XEN) Panic on CPU 0:\n"
    assert recognise("capture", head).format is all_formats()["hypervisor"]


@pytest.mark.parametrize(
    "name",
    [
        "var/log/xen/xend.log", "xend.log.1", "xend.logs", "old-xend.log", "libxl", "libxl.log.2.gz", "xl-web.log",
        "kern.log", "kernel.log.1", "kernlog", "dmesg", "dmesg.0", "lvm2.log", "lv_home.err", "err", "stderr.txt",
        "xm-dmesg", "console/web.log", "guest-web.log", "oned.log", "one/12.log", "libvirtd.log", "libvirt.log",
        "qubesd.log", "vm.web.log", "journalctl_k.txt", "messages-20200101", "typescript", "bootloader.3.log",
    ],
)  # fmt: skip
def test_a_format_that_is_found_by_a_word_of_its_name_is_the_one_whose_pattern_matches(name: str) -> None:
    matching = [part for part in all_formats().values() if any(one.search(name) for one in part.names)]
    assert by_name(name) is (matching[0] if matching else None)


PYGRUB_FAILED = b"""\
Traceback (most recent call last):
  File "/usr/bin/pygrub", line 903, in ?
IOError: [Errno 95] Operation not supported
"""


def test_a_log_is_pygrubs_where_its_traceback_begins_a_line() -> None:
    assert recognise("scratch", PYGRUB_FAILED).format is all_formats()["bootloader"]


def test_what_a_toolstack_quotes_of_pygrub_is_the_toolstacks() -> None:
    quoted = b"Error: Starting VM 'shop' - xenopsd internal error: VM = 77aa; domid = 414; Bootloader.Bad_error "
    assert recognise("scratch", quoted + PYGRUB_FAILED).format is all_formats()["stderr"]
