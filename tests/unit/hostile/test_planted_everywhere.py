"""Every line of every rule's tests, planted wherever a guest can write: nobody else is accused or excused."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.rule import GivenLine, Rule
from xenwatch.diagnosis.ruleset import rules_with, shipped_rules
from xenwatch.logs.format import all_formats
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import Subject

NOW = 1_305_752_200.0
MALLORY = Subject("domain", "mallory", domid=7)
ALL = sorted(shipped_rules().rglob("*.yaml"))
OWN = {"domain/mallory", "domain/7"}
SYSLOG = "May 18 20:55:05 dom0 "

STREAMS: dict[str, tuple[str, str, Subject | None, Callable[[str], str]]] = {
    "console": ("console", "guest-mallory.log", MALLORY, lambda line: line),
    "device model": ("qemu-dm", "qemu-dm-mallory.log", MALLORY, lambda line: line),
    "device model of nobody": ("qemu-dm", "qemu-dm.4711.log", None, lambda line: line),
    "boot menu": ("bootloader", "bootloader.7.log", Subject("domain", "7", domid=7), lambda line: line),
    "debug console in the ring": ("hypervisor", "hypervisor.log", None, lambda line: f"(XEN) (d7) {line}"),
    "port 0xe9 in the ring": ("hypervisor", "hypervisor.log", None, lambda line: f"(d7) {line}"),
    "port 0xe9 in an old ring": ("hypervisor", "hypervisor.log", None, lambda line: f"(XEN) HVM7: {line}"),
    "value in xenstored's log": (
        "xenstored", "xenstored-access.log", None,
        lambda line: f"[20110518T20:55:05.000Z]  D7           write     /local/domain/7/data/x {line}",
    ),
    "value in xenstored's trace": (
        "xenstored", "xenstored-trace.log", None, lambda line: f"IN 0xabcdef 20110518 20:55:05 WRITE (data/x {line})",
    ),
    "host name asked of DHCP": (
        "syslog", "syslog", None,
        lambda line: f"{SYSLOG}dhcpd[99]: DHCPREQUEST for 10.0.0.7 from 00:16:3e:00:00:07 ({line}) via xenbr0",
    ),
    "user name tried with ssh": (
        "syslog", "syslog", None, lambda line: f"{SYSLOG}sshd[99]: Invalid user {line} from 10.0.0.7",
    ),
    "protocol of a vbd": (
        "syslog", "syslog", None, lambda line: f"{SYSLOG}kernel: vbd vbd-7-51712: 2 unknown fe protocol {line}",
    ),
    "protocol of a vbd in the kernel's log": (
        "kernel", "kern.log", None, lambda line: f"[   12.000001] vbd vbd-7-51712: 2 unknown fe protocol {line}",
    ),
    "directive of grub.conf": (
        "xend-debug", "xend-debug.log", None, lambda line: f"WARNING:root:Unknown directive {line}",
    ),
}  # fmt: skip
"""Dialect, file, owner, and how a line looks there."""

MALLORY_IS = "[2011-05-18 20:54:04 xend 3456] INFO (XendDomainInfo:1) Waiting for domain mallory (domid 7) to die\n"
HOST_SAYS = (
    ("xend", "[2011-05-18 20:55:04 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=web id=5.\n"),
    ("kernel", "[  812.100000] md/raid1:md0: Disk failure on sdb1, disabling device.\n"),
    (
        "libxl",
        "libxl: error: libxl_device.c:1:device_hotplug: script: Could not find bridge device x7\n",
    ),
    (
        "xend",
        "[2011-05-18 20:55:06 xend 3456] ERROR (a:1) Device 0 (vif) could not be connected. Hotplug scripts\n",
    ),
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rule, ...]:
    return rules_with((), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Each once, as somebody would copy them out of the documentation."""
    rules = [parse_rule(path.read_text(), path) for path in ALL]
    given = [item for rule in rules for test in rule.tests for item in test.given if isinstance(item, GivenLine)]
    return list(dict.fromkeys(line for item in given for line in item.line.splitlines()))


def tell(pipeline: Pipeline, format_: str, text: str, path: str, owner: Subject | None = None) -> None:
    source = Source(path, all_formats()[format_], owner)
    pipeline.read(Chunk(source, text.encode(), Position("1", 0, 1), TimeHint(NOW), final=True))
    pipeline.conclude(NOW)


def tell_host(pipeline: Pipeline) -> None:
    tell(pipeline, "xend", MALLORY_IS, "xend.log.1")
    for nth, (format_, text) in enumerate(HOST_SAYS):
        tell(pipeline, format_, text, f"{nth}.log")


def plant(pipeline: Pipeline, where: str, lines: Iterable[str]) -> None:
    format_, path, owner, shown = STREAMS[where]
    tell(pipeline, format_, "".join(f"{shown(line)}\n" for line in lines), path, owner)


def of_others(pipeline: Pipeline) -> dict[str, tuple[str, str | None, str, float | None]]:
    """All but what is about the guest that wrote, or about a guest that is not known."""
    return {
        incident.id: (incident.state, incident.explained_by, str(incident.diagnosis.subject), incident.resolved)
        for incident in pipeline.incidents.all()
        if str(incident.diagnosis.subject) not in {*OWN, "domain/unknown"}
    }


@pytest.fixture(scope="module")
def alone(rules: tuple[Rule, ...]) -> dict[str, tuple[str, str | None, str, float | None]]:
    """What there is when no guest plants anything."""
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    tell_host(pipeline)
    found = of_others(pipeline)
    assert len(found) >= len(HOST_SAYS)
    return found


@pytest.mark.parametrize("where", STREAMS)
def test_lines_planted_after_the_hosts_change_nothing_about_anybody_else(
    rules: tuple[Rule, ...], lines: list[str], alone: dict[str, tuple[str, str | None, str, float | None]], where: str
) -> None:
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    tell_host(pipeline)
    plant(pipeline, where, lines)
    assert of_others(pipeline) == alone


@pytest.mark.parametrize("where", STREAMS)
def test_lines_planted_before_the_hosts_change_nothing_about_anybody_else(
    rules: tuple[Rule, ...], lines: list[str], alone: dict[str, tuple[str, str | None, str, float | None]], where: str
) -> None:
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    plant(pipeline, where, lines)
    tell_host(pipeline)
    assert of_others(pipeline) == alone


@pytest.mark.parametrize("where", ["console", "device model"])
def test_lines_planted_before_a_restart_change_nothing_about_anybody_else(
    rules: tuple[Rule, ...], lines: list[str], alone: dict[str, tuple[str, str | None, str, float | None]], where: str
) -> None:
    first, second = Pipeline(rules, prefilter="ahocorasick"), Pipeline(rules, prefilter="ahocorasick")
    plant(first, where, lines)
    tell_host(first)
    second.scanner.restore(first.scanner.state())
    second.engine.restore(first.engine.state())
    second.incidents.restore(first.incidents.all())
    plant(second, where, reversed(lines))
    assert of_others(second) == alone


QEMU_SAYS = (
    ("qemu: could not open disk image /dev/vg0/mallory: No such file or directory", "disk-image-missing"),
    ("warning: could not open /dev/net/tun: no virtual network emulation", "dom0-tun-missing"),
)


@pytest.mark.parametrize(("line", "rule"), QEMU_SAYS)
def test_what_a_device_model_itself_says_is_still_found_and_is_its_guests(
    rules: tuple[Rule, ...], line: str, rule: str
) -> None:
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    plant(pipeline, "device model", [line])
    told = {(i.diagnosis.rule, str(i.diagnosis.subject)) for i in pipeline.incidents.all()}
    assert (rule, "domain/mallory") in told


def test_what_a_device_model_says_explains_what_the_host_saw_of_the_same_guest(rules: tuple[Rule, ...]) -> None:
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    plant(pipeline, "device model", [QEMU_SAYS[0][0]])
    died = "[2011-05-18 20:55:04 xend 3456] WARNING (image:567) domain mallory: device model failure: pid 4711: died\n"
    tell(pipeline, "xend", died, "xend.log")
    assert {str(i.diagnosis.subject) for i in pipeline.incidents.all() if i.state == "open"} == {"domain/mallory"}


RESOLVED = """\
id: gone
class: a-class
title: A title
severity: error
subject: domain
cause: c
remedy: [r]
signatures:
  - {streams: [xend], event: gone, regex: '(?P<domain>\\w+) is gone'}
  - {streams: [console, xend], event: back, regex: '(?P<domain>mallory) is back'}
when: {type: event, event: gone}
resolve: {on: [back]}
"""


@pytest.mark.parametrize(("format_", "owner", "state"), [("console", MALLORY, "open"), ("xend", None, "resolved")])
def test_a_guest_does_not_end_what_the_host_saw_and_a_host_does(
    format_: str, owner: Subject | None, state: str
) -> None:
    pipeline = Pipeline([parse_rule(RESOLVED, Path("gone.yaml"))], prefilter="re")
    tell(pipeline, "xend", "[2011-05-18 20:55:04 xend 1] ERROR (a:1) mallory is gone\n", "xend.log")
    stamp = "[2011-05-18 20:55:05 xend 1] ERROR (a:1) " if format_ == "xend" else "[2011-05-18 20:55:05] "
    tell(pipeline, format_, f"{stamp}mallory is back\n", "other.log", owner)
    [incident] = pipeline.incidents.all()
    assert incident.state == state


def test_a_guests_own_words_do_not_replace_the_hosts_in_an_incident(rules: tuple[Rule, ...]) -> None:
    pipeline = Pipeline(rules, prefilter="ahocorasick")
    crash = "[2011-05-18 20:55:04 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=mallory id=7.\n"
    tell(pipeline, "xend", crash, "xend.log")

    def crashed() -> Incident:
        return next(i for i in pipeline.incidents.all() if i.diagnosis.rule == "domain-crashed")

    fields = dict(crashed().diagnosis.fields)
    plant(pipeline, "device model", ["Domain has crashed: name=web id=5."])
    assert dict(crashed().diagnosis.fields) == fields
    assert not crashed().diagnosis.guest_told
