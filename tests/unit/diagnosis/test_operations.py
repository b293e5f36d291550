"""Whose line is it? What was being done says so: typed commands, what toolstacks say first, domids that are born."""

from collections.abc import Sequence

import pytest

from xenwatch.diagnosis.operations.marks import name_of_config
from xenwatch.diagnosis.operations.phases import phase_of, rank
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint

NOW = 1_790_000_000.0


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def incidents(rules: Sequence[Rule], *logs: tuple[str, str, str]) -> dict[str, Incident]:
    """By rule; each log is its format, path and text."""
    pipeline = Pipeline(rules, cache=cache_folder(), at_rest=True)
    for format_, path, text in logs:
        source = Source(path, all_formats()[format_])
        pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(NOW), final=True))
    pipeline.conclude(float("inf"))
    return {incident.diagnosis.rule: incident for incident in pipeline.incidents.all()}


def subject(incident: Incident) -> str:
    return str(incident.diagnosis.subject)


def causes(found: dict[str, Incident]) -> list[str]:
    return sorted(rule for rule, incident in found.items() if incident.explained_by is None)


NO_DISK = (
    "libxl: error: libxl_device.c:381:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: "
    "/dev/vg/{}: No such file or directory\n"
)


@pytest.mark.parametrize(
    ("command", "guest"),
    [
        ("# xl create ../guests/mail.cfg\n", "mail"),
        ("$ sudo xl -vvv create -c mail.hvm\n", "mail"),
        ("Parsing config from /srv/xen/mail.conf\n", "mail"),
        ('Using config file "./mail".\n', "mail"),
        ("dom0# virsh start mail\n", "mail"),
        ("Could not start instance mail.example.org: Hypervisor error\n", "mail.example.org"),
    ],
)
def test_a_nameless_line_is_about_the_guest_of_the_command_before_it(
    rules: Sequence[Rule], command: str, guest: str
) -> None:
    found = incidents(rules, ("stderr", "terminal.log", command + NO_DISK.format("root")))
    assert subject(found["disk-image-missing"]) == f"domain/{guest}"


def test_what_names_nobody_and_stands_in_no_operation_is_never_blamed_on_the_only_guest(rules: Sequence[Rule]) -> None:
    crash = "[2011-05-18 20:55:04 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=web id=5.\n"
    found = incidents(rules, ("xend", "xend.log", crash), ("libxl", "other.log", NO_DISK.format("root")))
    assert subject(found["disk-image-missing"]) == "host/dom0"


XEND_ATTACHES = """\
[2008-03-04 12:01:05 xend 3456] INFO (XendDomain:370) Domain db (4) unpaused.
[2008-03-04 12:05:01 xend 3456] DEBUG (XendDomainInfo:84) XendDomainInfo.create(['vm', ['name', 'web']])
[2008-03-04 12:05:03 xend 3456] DEBUG (DevController:112) DevController: writing {'domain': 'web', 'frontend-id': '5', \
'params': '/dev/vg0/web'} to /local/domain/0/backend/vbd/5/51712.
"""
XEND_FAILS = """\
[2008-03-04 12:15:09 xend 3456] ERROR (SrvBase:88) Request device_create failed.
Traceback (most recent call last):
  File "/usr/lib/python2.4/site-packages/xen/xend/server/DevController.py", line 150, in waitForDevice
VmError: Device 51728 (vbd) could not be connected. /dev/vg0/x does not exist.
"""
XEND_WRITES = """\
[2008-03-04 12:15:02 xend 3456] DEBUG (DevController:112) DevController: writing {'domain': 'db', 'frontend-id': '4', \
'params': '/dev/vg0/x'} to /local/domain/0/backend/vbd/4/51728.
"""


def test_a_device_that_xend_attaches_is_of_the_guest_that_xend_wrote_it_down_for(rules: Sequence[Rule]) -> None:
    found = incidents(rules, ("xend", "xend.log", XEND_ATTACHES + XEND_WRITES + XEND_FAILS))
    assert subject(found["disk-image-missing"]) == "domain/db"


def test_what_xend_writes_down_for_the_guest_that_it_creates_begins_nothing_new(rules: Sequence[Rule]) -> None:
    failed = XEND_FAILS.replace("12:15:09", "12:05:09")
    found = incidents(rules, ("xend", "xend.log", XEND_ATTACHES + failed))
    assert subject(found["disk-image-missing"]) == "domain/web"
    operation = next(iter(found["disk-image-missing"].diagnosis.operations))
    assert operation.endswith(f":{XEND_ATTACHES.index('[2008-03-04 12:05:01')}")


def test_an_attach_long_ago_is_not_what_a_nameless_error_is_about(rules: Sequence[Rule]) -> None:
    much_later = XEND_FAILS.replace("12:15:09", "14:15:09")
    found = incidents(rules, ("xend", "xend.log", XEND_ATTACHES + XEND_WRITES + much_later))
    assert subject(found["disk-image-missing"]) == "host/dom0"


def test_what_is_done_to_domain_0_is_about_the_host(rules: Sequence[Rule]) -> None:
    text = "xen1 # xl pci-attach 0 0000:15:00.0\n"
    text += "libxl: error: libxl_pci.c:1498:pci_add_dm_done: xc_assign_device failed: Invalid argument\n"
    found = incidents(rules, ("stderr", "terminal.log", text))
    assert {subject(incident) for incident in found.values()} == {"host/dom0"}


def test_a_domid_that_comes_later_in_the_burst_names_the_lines_before_it(rules: Sequence[Rule]) -> None:
    destroyed = "libxl: error: libxl_domain.c:1003:libxl__destroy_domid: Domain 7:Non-existant domain\n"
    found = incidents(rules, ("libxl", "libxl.log", NO_DISK.format("root") + destroyed))
    assert subject(found["disk-image-missing"]) == "domain/7"


def test_each_command_in_a_terminal_has_its_own_guest(rules: Sequence[Rule]) -> None:
    text = "# xl create web.cfg\n" + NO_DISK.format("web") + "# xl create db.cfg\n"
    text += "libxl: error: libxl_dom.c:593:libxl__build_dom: xc_dom_boot_mem_init failed: Cannot allocate memory\n"
    found = incidents(rules, ("stderr", "terminal.log", text))
    assert {subject(i) for i in found.values()} == {"domain/web", "domain/db"}
    assert subject(found["disk-image-missing"]) == "domain/web"


def test_the_first_failing_phase_is_the_cause_and_teardown_never_is(rules: Sequence[Rule]) -> None:
    text = (
        "# xl create web.cfg\nParsing config from web.cfg\n"
        + NO_DISK.format("web")
        + "libxl: error: libxl_create.c:941:initiate_domain_create: Domain 3:Unable to set disk defaults for disk 0\n"
        "libxl: error: libxl_domain.c:1003:libxl__destroy_domid: Domain 3:Non-existant domain\n"
        "libxl: error: libxl_domain.c:962:domain_destroy_callback: Domain 3:Unable to destroy guest\n"
        "libxl: error: libxl_domain.c:889:domain_destroy_cb: Domain 3:Destruction of domain failed\n"
    )
    assert causes(incidents(rules, ("stderr", "terminal.log", text))) == ["disk-image-missing"]


def test_what_fails_while_a_domain_is_removed_is_no_cause_whichever_part_says_it(rules: Sequence[Rule]) -> None:
    text = (
        "# xl create web.cfg\nParsing config from web.cfg\n"
        "libxl: error: libxl_create.c:1863:domcreate_attach_devices: Domain 3:unable to add vkb devices\n"
        "libxl: error: libxl_domain.c:1218:destroy_domid_pci_done: Domain 3:xc_domain_pause failed\n"
        "libxl: error: libxl_dom.c:39:libxl__domain_type: unable to get domain type for domid=3\n"
        "libxl: error: libxl_domain.c:1063:domain_destroy_cb: Domain 3:Destruction of domain failed\n"
    )
    assert causes(incidents(rules, ("stderr", "terminal.log", text))) == ["device-add-failed"]


def test_the_same_question_is_a_cause_where_nothing_is_removed(rules: Sequence[Rule]) -> None:
    text = "libxl: error: libxl_dom.c:39:libxl__domain_type: unable to get domain type for domid=3\n"
    assert causes(incidents(rules, ("stderr", "terminal.log", text))) == ["libxl-query-refused"]


def test_a_rule_that_says_what_it_explains_is_surer_than_the_order_of_lines(rules: Sequence[Rule]) -> None:
    text = (
        "xc: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory\n"
        "libxl: error: libxl_dom.c:581:libxl__build_dom: xc_dom_boot_mem_init failed: Device or resource busy\n"
        "libxl: error: libxl_create.c:1753:domcreate_rebuild_done: Domain 58:cannot (re-)build domain: -3\n"
    )
    assert causes(incidents(rules, ("libxl", "libxl.log", text))) == ["memory-not-freed"]
    full = text.replace("Device or resource busy", "Cannot allocate memory")
    assert causes(incidents(rules, ("libxl", "libxl.log", full))) == ["memory-insufficient-host"]


def test_one_guests_missing_bridge_does_not_explain_another_guests_script(rules: Sequence[Rule]) -> None:
    web = "# xl create web.cfg\nlibxl: error: libxl_device.c:1237:device_hotplug_child_death_cb: script: "
    db = "# xl create db.cfg\nlibxl: error: libxl_exec.c:117:libxl_report_child_exitstatus: /etc/xen/scripts/block add "
    web, db = f"{web}Could not find bridge device xenbr7\n", f"{db}[24] exited with error status 1\n"
    found = incidents(rules, ("stderr", "a.log", web), ("stderr", "b.log", db))
    assert "vif-bridge-missing" in causes(found)
    assert [rule for rule in causes(found) if subject(found[rule]) == "domain/db"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/xen/web.cfg", "web"),
        ("./d1-config", "d1-config"),
        ("a/b.example.org.cfg", "b.example.org"),
        ("/etc/xen/config", None),
    ],
)
def test_a_configuration_file_is_called_after_its_guest_unless_its_name_says_nothing(
    path: str, name: str | None
) -> None:
    assert name_of_config(path) == name


def test_phases_follow_each_other_and_teardown_comes_last() -> None:
    build = phase_of("libxl: error: libxl_dom.c:593:libxl__build_dom: xc_dom_parse_image failed")
    devices = phase_of("libxl: error: libxl_nic.c:652:libxl__nic: cannot add vif")
    teardown = phase_of("libxl: error: libxl_domain.c:889:domain_destroy_cb: Domain 3:Destruction of domain failed")
    assert (build, devices, teardown) == ("build", "devices", "teardown")
    assert rank(build) < rank(devices) < rank(None) < rank(teardown)


@pytest.mark.parametrize(
    "line", ["xc: info: Saving domain 7, type x86 HVM\n", "Shutting down domain 7\n", "Rebooting domain 7\n"]
)
def test_a_line_that_says_only_the_domid_is_what_the_nameless_lines_after_it_are_about(
    rules: Sequence[Rule], line: str
) -> None:
    text = f"{line}xc: error: save callback suspend() failed: 0: Internal error\n"
    found = incidents(rules, ("stderr", "x.txt", text))
    assert {subject(incident) for incident in found.values()} == {"domain/7"}


STARTED = "2026-11-30T12:38:22.774+00:00 xen1 systemd[1]: Started {0}-{1}.service - /usr/sbin/xl {2} {1} {3}.\n"
WORDS = "2026-11-30T12:38:24.774+00:00 xen1 xl[{0}]: "


def test_what_a_command_says_in_syslog_is_about_the_guest_that_its_command_line_names(rules: Sequence[Rule]) -> None:
    log = STARTED.format("attach", "web", "block-attach", "phy:/dev/vg/web xvdb w") + WORDS.format(1331) + NO_DISK
    found = incidents(rules, ("syslog", "syslog", log.format("web")))
    assert subject(found["disk-image-missing"]) == "domain/web"


def test_of_two_commands_at_once_neither_lends_its_guest_to_a_nameless_line(rules: Sequence[Rule]) -> None:
    both = "".join(STARTED.format("attach", guest, "block-attach", "phy:/dev/vg/x xvdb w") for guest in ("web", "db"))
    found = incidents(rules, ("syslog", "syslog", both + WORDS.format(1331) + NO_DISK.format("x")))
    assert subject(found["disk-image-missing"]) == "host/dom0"


def test_what_is_kept_beside_a_typed_command_is_about_the_guest_that_it_names(rules: Sequence[Rule]) -> None:
    typed = ("stderr", "case/cmd.txt", "2026-11-30T12:38:22+00:00 $ xl block-attach web phy:/dev/vg/web xvdb w\n")
    found = incidents(rules, ("stderr", "case/stderr.txt", NO_DISK.format("web")), typed)
    assert subject(found["disk-image-missing"]) == "domain/web"


def test_a_number_that_is_kept_beside_a_typed_command_is_that_guests(rules: Sequence[Rule]) -> None:
    refused = (
        "libxl: error: libxl_pci.c:1671:libxl__device_pci_add: Domain 4:PCI device 0000:00:03.0 is not assignable\n"
    )
    typed = ("stderr", "case/cmd.txt", "$ xl pci-attach web 0000:00:03.0\n")
    found = incidents(rules, ("stderr", "case/stderr.txt", refused), typed)
    assert subject(found["pci-not-assignable"]) == "domain/web"


@pytest.mark.parametrize(
    "typed",
    [
        ("stderr", "case/cmd.txt", "$ xl create web.cfg\n$ xl create db.cfg\n"),
        ("stderr", "other/cmd.txt", "$ xl create web.cfg\n$ xl create db.cfg\n"),
    ],
    ids=["two guests", "another folder"],
)
def test_a_command_lends_its_guest_to_no_other_folder_nor_where_there_are_two(
    rules: Sequence[Rule], typed: tuple[str, str, str]
) -> None:
    found = incidents(rules, ("stderr", "case/stderr.txt", NO_DISK.format("web")), typed)
    assert subject(found["disk-image-missing"]) == "host/dom0"


def test_the_console_below_started_domain_is_that_guests_where_the_command_is_cut_off(rules: Sequence[Rule]) -> None:
    text = 'Started domain mail (id=4)\nVFS: Cannot open root device "sda1" or unknown-block(0,0)\n'
    assert subject(incidents(rules, ("stderr", "paste.txt", text))["guest-rootfs-missing"]) == "domain/mail"


def test_a_guest_that_prints_started_domain_on_its_console_names_nobody(rules: Sequence[Rule]) -> None:
    text = 'Started domain mail\nVFS: Cannot open root device "sda1" or unknown-block(0,0)\n'
    found = incidents(rules, ("console", "console/guest-shop.log", text))
    assert subject(found["guest-rootfs-missing"]) == "domain/unknown"


def test_the_hypervisors_own_domids_are_no_guests(rules: Sequence[Rule]) -> None:
    refused = "(XEN) SMMUv3: <no-node>:  not attached to domain {}\n"
    found = incidents(rules, ("stderr", "terminal.txt", refused.format(32753)))
    assert {subject(incident) for incident in found.values()} == {"host/dom0"}
    found = incidents(rules, ("stderr", "terminal.txt", refused.format(7)))
    assert {subject(incident) for incident in found.values()} == {"domain/7"}


def test_a_qube_is_named_by_the_old_form_of_qvm_block(rules: Sequence[Rule]) -> None:
    failed = "libvirt.libvirtError: internal error: libxenlight failed to detach disk 'xvdi'\n"
    found = incidents(rules, ("stderr", "terminal.txt", "qvm-block -d sys-net\n" + failed))
    assert subject(found["device-detach-timeout"]) == "domain/sys-net"
