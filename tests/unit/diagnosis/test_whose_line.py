"""Lines that name nobody: a wrapper does so afterwards, `xl list` knows the number, or one thing alone was done."""

from collections.abc import Sequence

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import Subject

NOW = 1_790_000_000.0


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def subjects(
    rules: Sequence[Rule], *logs: tuple[str, str, str], facts: Sequence[Fact] = (), at_rest: bool = True
) -> dict[str, str]:
    """By rule."""
    found = incidents(rules, *logs, facts=facts, at_rest=at_rest)
    return {rule: str(incident.diagnosis.subject) for rule, incident in found.items()}


def incidents(
    rules: Sequence[Rule], *logs: tuple[str, str, str], facts: Sequence[Fact] = (), at_rest: bool = True
) -> dict[str, Incident]:
    """By rule; each log is its format, path and text."""
    pipeline = Pipeline(rules, cache=cache_folder(), at_rest=at_rest)
    pipeline.facts(facts)
    for format_, path, text in logs:
        source = Source(path, all_formats()[format_])
        pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(NOW), final=True))
    pipeline.conclude(float("inf"))
    return {incident.diagnosis.rule: incident for incident in pipeline.incidents.all()}


NO_DISK = (
    "libxl: error: libxl_device.c:381:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: "
    "/dev/vg/root: No such file or directory\n"
)
SAVE_FAILED = "Error: /usr/lib/xen/bin/xc_save 4 7 0 0 1 failed\n"


@pytest.mark.parametrize(
    "said",
    [
        "Could not start instance mail: Hypervisor error\n",
        "['systemctl', 'start', 'qubes-vm@mail.service'] failed:\n",
        "vm.mail: Start failed: internal error\n",
    ],
)
def test_a_wrapper_that_names_its_guest_after_the_failure_names_the_lines_before_it(
    rules: Sequence[Rule], said: str
) -> None:
    found = subjects(rules, ("stderr", "terminal.log", NO_DISK + said))
    assert found["disk-image-missing"] == "domain/mail"


def test_what_a_wrapper_says_of_a_guest_that_it_starts_next_names_nothing_before_it(rules: Sequence[Rule]) -> None:
    found = subjects(rules, ("stderr", "terminal.log", NO_DISK + "Starting instance mail\n"), at_rest=False)
    assert found["disk-image-missing"] == "host/dom0"


def test_the_name_that_the_toolstack_says_counts_more_than_that_of_the_file(rules: Sequence[Rule]) -> None:
    text = "# xm create -c /etc/xen/shop-new\nStarted domain shop\nxenconsole: Could not read tty from store: {}\n"
    found = subjects(rules, ("stderr", "terminal.log", text.format("No such file or directory")))
    assert found["console-unavailable"] == "domain/shop"


def test_another_guest_that_is_named_much_later_is_another_guest(rules: Sequence[Rule]) -> None:
    text = "# xm create /etc/xen/shop-new\n" + NO_DISK + "\n" * 5000 + "Started domain mail\n"
    assert subjects(rules, ("stderr", "terminal.log", text))["disk-image-missing"] == "domain/shop-new"


def test_a_number_is_the_guest_that_xl_list_shows_with_it(rules: Sequence[Rule]) -> None:
    listed = [
        Fact("domain.state", Subject("domain", name, None, domid), "running", NOW, "xl-list.txt")
        for name, domid in (("mail", 7), ("web", 9))
    ]
    found = subjects(rules, ("stderr", "terminal.log", "# xm migrate --live 7 xen2\n" + SAVE_FAILED), facts=listed)
    assert found["migration-failed-symptom"] == "domain/mail"


def test_a_number_that_xl_list_does_not_show_stays_a_number(rules: Sequence[Rule]) -> None:
    listed = [Fact("domain.state", Subject("domain", "web", None, 9), "running", NOW, "xl-list.txt")]
    found = subjects(rules, ("stderr", "terminal.log", "# xm migrate --live 7 xen2\n" + SAVE_FAILED), facts=listed)
    assert found["migration-failed-symptom"] == "domain/7"


TYPED = ("stderr", "terminal.log", "# xl create /etc/xen/mail.cfg\n")
TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/xen-4.8/bin/pygrub", line 882, in <module>
    raise RuntimeError, "Unable to find partition containing kernel"
RuntimeError: Unable to find partition containing kernel
"""
PYGRUB = ("stderr", "sent/output.log", TRACEBACK)
"""In another folder than the command: test_operations.py has what lies beside it."""


def test_the_one_thing_that_was_done_claims_what_another_log_says_of_a_start(rules: Sequence[Rule]) -> None:
    assert subjects(rules, TYPED, PYGRUB)["pygrub-no-kernel"] == "domain/mail"


def test_it_does_not_where_another_guest_is_known(rules: Sequence[Rule]) -> None:
    listed = [Fact("domain.state", Subject("domain", "web", None, 9), "running", NOW, "xl-list.txt")]
    assert subjects(rules, TYPED, PYGRUB, facts=listed)["pygrub-no-kernel"] == "host/dom0"


def test_it_does_not_on_a_running_host_where_more_may_happen_than_was_read(rules: Sequence[Rule]) -> None:
    assert subjects(rules, TYPED, PYGRUB, at_rest=False)["pygrub-no-kernel"] == "host/dom0"


def test_a_detach_claims_what_failed_to_detach_and_nothing_else(rules: Sequence[Rule]) -> None:
    typed = ("stderr", "terminal.log", "$ qvm-block detach mail sys-usb:sda\n")
    failed = ("stderr", "sent/output.log", "libvirtError: internal error: libxenlight failed to detach disk 'xvdi'\n")
    found = subjects(rules, typed, failed, PYGRUB)
    assert found["device-detach-timeout"] == "domain/mail"
    assert found["pygrub-no-kernel"] == "host/dom0"


def test_opennebula_calls_the_guest_after_the_number_in_the_path(rules: Sequence[Rule]) -> None:
    deploy = "[VMM][I]: Generating deployment file: /var/lib/one/vms/31/deployment.0\n"
    assert subjects(rules, ("stderr", "sent.log", deploy + NO_DISK))["disk-image-missing"] == "domain/one-31"


OOPS = """\
Sep 01 08:59:20 {0} kernel: Hypervisor detected: Xen PVH
Sep 01 08:59:21 {0} kernel: BUG: kernel NULL pointer dereference, address: 0000000000000060
"""


def test_a_guests_journal_is_about_the_guest_of_that_host_name(rules: Sequence[Rule]) -> None:
    found = subjects(rules, ("kernel", "journal.log", OOPS.format("mail.example.org")))
    assert found["guest-kernel-oops"] == "domain/mail"


@pytest.mark.parametrize(("name", "at_rest"), [("localhost", True), ("mail", False)])
def test_a_name_that_says_nothing_names_nobody_and_a_running_host_believes_no_guest(
    rules: Sequence[Rule], name: str, at_rest: bool
) -> None:
    found = subjects(rules, ("kernel", "journal.log", OOPS.format(name)), at_rest=at_rest)
    assert found["guest-kernel-oops"] == "domain/unknown"


def test_libvirt_names_the_guest_of_the_reason_that_it_wrote_before(rules: Sequence[Rule]) -> None:
    line = "Jun 13 09:04:2{} xen1 libvirtd[2937]: internal error: {}\n"
    reason = line.format(5, "Active 0000:03:00.1 devices on bus with 0000:03:00.0, not doing bus reset")
    failed = line.format(5, "libxenlight failed to create new domain 'mail'")
    assert subjects(rules, ("syslog", "journal.log", failed + reason))["pci-reset-failed"] == "domain/mail"
    assert subjects(rules, ("syslog", "journal.log", reason))["pci-reset-failed"] == "host/dom0"


RESTORE = """\
# xl save -D mail /srv/mail.save
xc: info: Saving domain 19505, type x86 PV
# xl restore /srv/mail.save
Parsing config from <saved>
libxl: error: libxl_create.c:1233:initiate_domain_create: Domain 19505:cannot make domain: -3
"""


@pytest.mark.parametrize(
    ("text", "class_"),
    [(RESTORE, "save-restore-failed"), (RESTORE.replace("restore /srv/mail.save", "create mail.cfg"), "unknown")],
)
def test_what_was_being_done_decides_what_failed_and_a_save_tells_the_number_of_its_guest(
    rules: Sequence[Rule], text: str, class_: str
) -> None:
    found = incidents(rules, ("stderr", "terminal.log", text))["libxl-cannot-make-domain"].diagnosis
    assert (str(found.subject), found.class_) == ("domain/mail", class_)


def test_udevs_worker_is_believed_and_a_stranger_is_not(rules: Sequence[Rule]) -> None:
    said = "'/etc/xen/scripts/block' (stderr) '/etc/xen/scripts/hotplugpath.sh: No such file or directory'\n"
    assert "missing-component" in incidents(rules, ("syslog", "syslog", f"Feb 28 21:24:37 xen1 udevd-work[64]: {said}"))
    assert "missing-component" not in incidents(rules, ("syslog", "syslog", f"Feb 28 21:24:37 xen1 evil[64]: {said}"))
