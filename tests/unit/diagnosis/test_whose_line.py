"""Lines that name nobody: a wrapper does so afterwards, `xl list` knows the number, or one thing alone was done."""

from collections.abc import Sequence

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import Subject

NOW = 1_790_000_000.0


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def subjects(
    rules: Sequence[Rule], *logs: tuple[str, str, str], facts: Sequence[Fact] = (), at_rest: bool = True
) -> dict[str, str]:
    """By rule; each log is its format, path and text."""
    pipeline = Pipeline(rules, cache=cache_folder(), at_rest=at_rest)
    pipeline.facts(facts)
    for format_, path, text in logs:
        source = Source(path, all_formats()[format_])
        pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(NOW), final=True))
    pipeline.conclude(float("inf"))
    return {i.diagnosis.rule: str(i.diagnosis.subject) for i in pipeline.incidents.all()}


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
PYGRUB = ("stderr", "output.log", TRACEBACK)


def test_the_one_thing_that_was_done_claims_what_another_log_says_of_a_start(rules: Sequence[Rule]) -> None:
    assert subjects(rules, TYPED, PYGRUB)["pygrub-no-kernel"] == "domain/mail"


def test_it_does_not_where_another_guest_is_known(rules: Sequence[Rule]) -> None:
    listed = [Fact("domain.state", Subject("domain", "web", None, 9), "running", NOW, "xl-list.txt")]
    assert subjects(rules, TYPED, PYGRUB, facts=listed)["pygrub-no-kernel"] == "host/dom0"


def test_it_does_not_on_a_running_host_where_more_may_happen_than_was_read(rules: Sequence[Rule]) -> None:
    assert subjects(rules, TYPED, PYGRUB, at_rest=False)["pygrub-no-kernel"] == "host/dom0"


def test_a_detach_claims_what_failed_to_detach_and_nothing_else(rules: Sequence[Rule]) -> None:
    typed = ("stderr", "terminal.log", "$ qvm-block detach mail sys-usb:sda\n")
    failed = ("stderr", "output.log", "libvirtError: internal error: libxenlight failed to detach disk 'xvdi'\n")
    found = subjects(rules, typed, failed, PYGRUB)
    assert found["device-detach-timeout"] == "domain/mail"
    assert found["pygrub-no-kernel"] == "host/dom0"


def test_opennebula_calls_the_guest_after_the_number_in_the_path(rules: Sequence[Rule]) -> None:
    deploy = "[VMM][I]: Generating deployment file: /var/lib/one/vms/31/deployment.0\n"
    assert subjects(rules, ("stderr", "sent.log", deploy + NO_DISK))["disk-image-missing"] == "domain/one-31"
