"""A file that is called some console is told by its content: the hypervisor's serial line, or a guest's console."""

import pytest

from xenwatch.logs.format import recognise

XEN_BOOT = b"""\
 __  __            _  _    _ _____
 \\ \\/ /___ _ __   | || |  / |___  |
(XEN) Xen version 4.17.5 (Debian 4.17.5-1) (pkg-xen-devel@lists.alioth.debian.org) debug=n
(XEN) Bootloader: GRUB 2.06-13
(XEN) Command line: placeholder com1=115200,8n1 console=com1
(XEN) Xen-e820 RAM map:
[    0.000000] Linux version 6.1.0-18-amd64
[    0.000000] Command line: placeholder root=/dev/sda1
(XEN) Panic on CPU 0:
(XEN) FATAL PAGE FAULT
"""
GUEST = b"""\
[    0.000000] Linux version 6.1.0-18-amd64
[    0.000000] Hypervisor detected: Xen HVM
(XEN) Xen version 4.17.5 (as a guest would print it)
(XEN) Panic on CPU 0:
"""


@pytest.mark.parametrize("name", ["console.log", "serial-console.txt", "serial.log", "ttyS0.log", "host1/console.log"])
def test_the_hypervisors_serial_output_is_its_own_whatever_the_file_is_called(name: str) -> None:
    recognised = recognise(name, XEN_BOOT)
    assert recognised.format is not None
    assert recognised.format.name == "hypervisor"


def test_a_capture_that_begins_at_the_panic_is_the_hypervisors_too() -> None:
    head = b"(XEN) \n(XEN) ****************************************\n(XEN) Panic on CPU 3:\n(XEN) Xen BUG at mm.c:1\n"
    recognised = recognise("console.log", head)
    assert recognised.format is not None
    assert recognised.format.name == "hypervisor"


@pytest.mark.parametrize("name", ["console.log", "serial-console.txt"])
def test_a_guests_console_stays_a_console(name: str) -> None:
    recognised = recognise(name, GUEST)
    assert recognised.format is not None
    assert recognised.format.name == "console"


@pytest.mark.parametrize(
    "name", ["var/log/xen/console/guest-web.log", "guest-web.log", "var/log/xen/console/serial.log"]
)
def test_no_guest_makes_its_own_console_the_hypervisors(name: str) -> None:
    recognised = recognise(name, XEN_BOOT)
    assert recognised.format is not None
    assert recognised.format.name == "console"


MIDDLE = b"""\
PID hash table entries: 4096 (order: 12, 32768 bytes)
Kernel panic - not syncing: Attempted to kill the idle task!
"""


@pytest.mark.parametrize("name", ["serial-console.log", "ttyS0.log", "ipmi.txt"])
def test_a_wire_of_the_machine_is_the_machines_wherever_the_capture_begins(name: str) -> None:
    recognised = recognise(name, MIDDLE)
    assert recognised.format is not None
    assert not recognised.format.guest_written


@pytest.mark.parametrize("name", ["console.log", "guest-serial.log", "var/log/xen/console/serial.log"])
def test_a_name_that_says_nothing_of_the_machine_stays_a_guests_console(name: str) -> None:
    recognised = recognise(name, MIDDLE)
    assert recognised.format is not None
    assert recognised.format.name != "hypervisor"


def test_a_guests_serial_port_is_told_by_what_only_a_guest_prints() -> None:
    recognised = recognise("serial-console.log", b"[    0.000000] DMI: Xen HVM domU, BIOS 4.17\n" + MIDDLE)
    assert recognised.format is not None
    assert recognised.format.name == "console"


OUT_OF_BAND = (
    b"2017-01-14 01:04:26\tOops: 0000 [#1] SMP\n"
    b"2017-01-14 01:04:26\tPid: 711, comm: lldpd Tainted: P        W  2.6.32.36-xen #1 ProLiant DL380p Gen8\n"
)


def test_a_kernel_that_names_its_machine_is_on_the_machines_wire() -> None:
    recognised = recognise("console.log", OUT_OF_BAND)
    assert recognised.format is not None
    assert recognised.format.name == "kernel"


@pytest.mark.parametrize("machine", [b"", b" Xen HVM domU"])
def test_a_kernel_that_names_no_machine_or_a_virtual_one_stays_a_guests(machine: bytes) -> None:
    recognised = recognise("console.log", OUT_OF_BAND.replace(b" ProLiant DL380p Gen8", machine))
    assert recognised.format is not None
    assert recognised.format.name == "console"
