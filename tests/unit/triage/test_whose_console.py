"""Whose trouble a saved log tells: said by the name of a file, by what was typed, or by the only domid there is."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose

Subject = Callable[[dict[str, str]], str]
NO_ROOT = "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
BOOT = "Bootdata ok (command line is ip=10.0.0.5)\nLinux version 2.6.18-xen (root@xen1)\n"
NO_SDL = "/usr/lib/xen-4.2/bin/qemu-dm: invalid option -- '-sdl'\n"
SPAWN = "libxl: error: libxl_dm.c:1212:device_model_spawn_outcome: domain {} device model: spawn failed (rc=-3)\n"


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture
def first_subject(tmp_path: Path, rules: Sequence[Rule]) -> Subject:
    def first_subject(logs: dict[str, str]) -> str:
        for name, text in logs.items():
            (tmp_path / name).write_text(text)
        return str(diagnose([str(tmp_path)], rules, cache=cache_folder()).incidents[0].diagnosis.subject)

    return first_subject


@pytest.mark.parametrize("name", ["guest-mail.log", "console-mail.log", "console-mail.txt"])
def test_a_console_that_is_called_after_its_guest_is_of_that_guest(first_subject: Subject, name: str) -> None:
    assert first_subject({name: NO_ROOT}) == "domain/mail"


@pytest.mark.parametrize("name", ["console-guest.log", "console-1.log", "console-boot.txt", "guest-console.log"])
def test_what_people_call_any_console_is_no_name(first_subject: Subject, name: str) -> None:
    assert first_subject({name: NO_ROOT}) == "domain/unknown"


@pytest.mark.parametrize(
    "typed",
    [
        "Started domain mail\n",
        "# xl console mail\n",
        "[root@xen1 ~]# virsh console mail\nConnected to domain mail\nEscape character is ^]\n",
        "Connected to domain 'mail'\n",
    ],
)
@pytest.mark.parametrize("name", ["console.log", "terminal.txt"])
def test_a_console_begins_with_the_words_that_showed_it(first_subject: Subject, name: str, typed: str) -> None:
    assert first_subject({name: typed + BOOT + NO_ROOT}) == "domain/mail"


def test_what_a_guest_prints_later_names_nobody(first_subject: Subject) -> None:
    assert first_subject({"console.log": BOOT * 4 + "Started domain mail\n" + NO_ROOT}) == "domain/unknown"


def test_a_saved_serial_line_on_which_domain_0_crashed_is_of_the_host(first_subject: Subject) -> None:
    text = (
        "2017-01-14 01:04:26\tBUG: unable to handle kernel paging request at ffff8802ea75bb00\n"
        "2017-01-14 01:04:27\tKernel panic - not syncing: Fatal exception in interrupt\n"
        "2017-01-14 01:04:30\t(XEN) Domain 0 crashed: 'noreboot' set - not rebooting.\n"
    )
    assert first_subject({"console.log": text}) == "host/dom0"


def test_the_only_guest_is_meant_where_nothing_says_more_of_it_than_its_domid(first_subject: Subject) -> None:
    assert first_subject({"qemu-dm.log": NO_SDL, "stderr.log": SPAWN.format(2)}) == "domain/2"


def test_of_two_guests_neither_is_meant(first_subject: Subject) -> None:
    assert first_subject({"qemu-dm.log": NO_SDL, "stderr.log": SPAWN.format(2) + SPAWN.format(3)}) == "domain/unknown"


def test_opennebula_names_the_guest_by_the_file_that_it_could_not_deploy(first_subject: Subject) -> None:
    text = (
        "Tue Jan  1 10:00:00 2013 [VMM][E]: Error deploying virtual machine: Could not create domain from "
        "/var/lib/one//datastores/0/7/deployment.0\n"
        "Tue Jan  1 10:00:00 2013 [VMM][I]: Error: Device 51712 (tap) could not be connected. "
        "Hotplug scripts not working.\n"
    )
    assert first_subject({"7.log": text}) == "domain/one-7"


def test_the_device_model_speaks_of_the_device_that_is_being_attached(first_subject: Subject) -> None:
    logs = {
        "qemu-dm.log": "[00:04.0] xen_pt_msix_init: Error: Can't open /dev/mem: Operation not permitted\n",
        "terminal.txt": "# xl pci-attach mail 0000:58:03.0\nlibxl: error: libxl_pci.c:1777:device_pci_add_done: "
        "Domain 12:libxl__device_pci_add failed for PCI device 0:58:3.0 (rc -28)\n",
    }
    assert first_subject(logs) == "domain/mail"


def test_libvirts_word_for_attaching_a_device_is_as_good(first_subject: Subject) -> None:
    logs = {
        "qemu-dm.log": "[00:04.0] xen_pt_msix_init: Error: Can't open /dev/mem: Operation not permitted\n",
        "terminal.txt": "# virsh attach-device mail nic.xml\nerror: Failed to attach device from nic.xml\n",
    }
    assert first_subject(logs) == "domain/mail"
