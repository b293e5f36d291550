"""A failed start is over when the same guest was started since; what is not repaired stays open."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.sample import CollectorHealth, Metric, Sample, Snapshot

NOW = 1_790_000_000.0
STATE = Metric("xen_domain_state", "stateset", "", ("domain", "state"))
INFO = Metric("xen_domain_info", "info", "", ("domain", "uuid", "domid"))
START = Metric("xen_domain_start_time_seconds", "gauge", "", ("domain",))
BACKEND = Metric("xen_xenbus_backend_state", "gauge", "", ("domain", "class", "devid"))
VIF_UP = Metric("xen_domain_vif_up", "gauge", "", ("domain", "vif"))


def device(guest: str, name: str) -> Sample:
    """`xvdb` works, `xvdb!` is what a failed attach left of it; so do `vif0` and `vif0!`."""
    works = not name.endswith("!")
    if name.startswith("vif"):
        return Sample(VIF_UP, (guest, name[3:]), float(works))
    return Sample(BACKEND, (guest, "vbd", name), 2.0 if works else 1.0)


FAILED = (
    "Parsing config from /etc/xen/web.cfg\n"
    "libxl: error: libxl_device.c:381:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: "
    "/dev/vg0/web: No such file or directory\n"
)


class Host:
    """An agent's pipeline: what its logs say, and whom a snapshot finds."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.pipeline = Pipeline(rules, cache=cache_folder())
        self.sees(NOW - 5.0)

    def says(self, at: float, text: str, path: str = "/var/log/xen/xl-web.log") -> None:
        source = Source(path, all_formats()["xl"])
        self.pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(at), final=True))
        self.pipeline.conclude(at)

    def sees(self, at: float, started: float | None = None, devices: str = "", **guests: str) -> None:
        samples = [Sample(INFO, ("Domain-0", "", "0"), 1.0), Sample(STATE, ("Domain-0", "running"), 1.0)]
        for name, state in guests.items():
            samples += [Sample(INFO, (name, "", "7"), 1.0), Sample(STATE, (name, state), 1.0)]
            samples += [device(name, one) for one in devices.split()]
            samples += [] if started is None else [Sample(START, (name,), started)]
        self.pipeline.snapshot(Snapshot(at, tuple(samples), {}))
        self.pipeline.conclude(at)

    @property
    def open(self) -> set[str]:
        return {i.diagnosis.rule for i in self.pipeline.incidents.all() if i.state != "resolved"}


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture
def host(rules: Sequence[Rule]) -> Host:
    host = Host(rules)
    host.says(NOW, FAILED)
    assert "disk-image-missing" in host.open
    return host


@pytest.mark.parametrize("started", [None, NOW + 40.0])
def test_a_guest_that_was_started_since_resolves_what_its_failed_start_left(host: Host, started: float | None) -> None:
    host.sees(NOW + 35.0)
    host.sees(NOW + 45.0, started, web="blocked")
    assert host.open == set()


def test_a_guest_that_is_only_paused_or_being_built_resolves_nothing(host: Host) -> None:
    host.sees(NOW + 35.0)
    host.sees(NOW + 45.0, web="building")
    host.sees(NOW + 50.0, web="paused")
    assert "disk-image-missing" in host.open


def test_another_guest_that_is_started_resolves_nothing(host: Host) -> None:
    host.sees(NOW + 45.0, NOW + 40.0, db="running")
    assert "disk-image-missing" in host.open


def test_a_guest_that_ran_all_the_time_resolves_nothing(rules: Sequence[Rule]) -> None:
    host = Host(rules)
    host.sees(NOW - 4.0, NOW - 900.0, web="blocked")
    host.says(NOW, FAILED)
    host.sees(NOW + 5.0, NOW - 900.0, web="blocked")
    assert "disk-image-missing" in host.open


XEND = "[2026-09-21 13:{}:00 xend 3456] {}\n"
CREATE = "DEBUG (XendDomainInfo:103) XendDomainInfo.create(['vm', ['name', 'web'], ['memory', 256]])"
REFUSED = "ERROR (XendDomainInfo:1821) Error: Device 51712 (vbd) could not be connected. Backend device not found."


def test_a_start_that_the_log_tells_of_resolves_it_too(rules: Sequence[Rule]) -> None:
    host = Host(rules)
    path = "/var/log/xen/xend.log"

    def xend(minute: int, words: str, offset: int) -> None:
        at = datetime(2026, 9, 21, 13, minute, tzinfo=UTC).timestamp()
        source = Source(path, all_formats()["xend"])
        text = XEND.format(f"{minute:02}", words)
        host.pipeline.read(Chunk(source, text.encode(), Position("g", offset, offset), TimeHint(at), final=True))
        host.pipeline.conclude(at)

    xend(13, CREATE, 0)
    xend(14, REFUSED, 200)
    assert host.open
    xend(20, CREATE, 400)
    assert host.open
    xend(21, "INFO (XendDomain:1182) Domain web (7) unpaused.", 600)
    assert host.open == set()


BRIDGE = (
    "Parsing config from /etc/xen/web.cfg\n"
    "libxl: error: libxl_device.c:1351:hotplug_child_death_cb: Domain {domid}:script: Could not find bridge device x1\n"
)


@pytest.mark.parametrize(("failed", "remains"), [(6, False), (7, True)])
def test_a_higher_domid_is_a_later_start_also_between_the_same_two_snapshots(
    rules: Sequence[Rule], failed: int, remains: bool
) -> None:
    host = Host(rules)
    host.says(NOW, BRIDGE.format(domid=failed))
    assert "vif-bridge-missing" in host.open
    host.sees(NOW + 5.0, web="blocked")
    assert ("vif-bridge-missing" in host.open) is remains


ATTACH = (
    "$ xl block-attach web file:/srv/data.img xvdb w\n"
    "libxl: error: libxl_device.c:455:libxl__device_disk_set_backend: Disk vdev=xvdb failed to stat: "
    "/srv/data.img: No such file or directory\n"
)


@pytest.mark.parametrize(
    ("later", "remains"),
    [("xvda", True), ("xvda xvdb", False), ("xvda vif0", False), ("xvda xvdb!", True), ("xvda vif0!", True)],
)
def test_a_device_that_was_attached_since_resolves_what_its_failed_attach_left(
    rules: Sequence[Rule], later: str, remains: bool
) -> None:
    host = Host(rules)
    host.sees(NOW - 4.0, devices="xvda", web="blocked")
    host.says(NOW, ATTACH, path="/var/log/xen/typed.log")
    host.sees(NOW + 5.0, devices="xvda", web="blocked")
    assert "disk-image-missing" in host.open
    host.sees(NOW + 20.0, devices=later, web="blocked")
    assert ("disk-image-missing" in host.open) is remains


def test_a_round_in_which_nobody_could_be_asked_for_devices_attaches_none(rules: Sequence[Rule]) -> None:
    host = Host(rules)
    host.sees(NOW - 4.0, devices="xvda", web="blocked")
    host.says(NOW, ATTACH, path="/var/log/xen/typed.log")
    host.sees(NOW + 5.0, web="blocked")
    host.sees(NOW + 20.0, devices="xvda", web="blocked")
    assert "disk-image-missing" in host.open


LIBVIRT = "2026-11-30 16:06:42.{}+0000: libxl: {}\n"
NO_DISK = LIBVIRT.format(
    707,
    "libxl_device.c:455:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: /a: No such file or directory",
) + LIBVIRT.format(709, "libxl_create.c:1318:initiate_domain_create: Domain 6:Unable to set disk defaults for disk 0")


@pytest.mark.parametrize(("guest", "remains"), [("shop", False), ("mail", True)])
def test_libvirts_driver_knows_its_guest_by_the_number_and_the_incident_by_its_name(
    rules: Sequence[Rule], guest: str, remains: bool
) -> None:
    host, driver = Host(rules), Source("/var/log/libvirt/libxl/libxl-driver.log", all_formats()["libvirt"])
    failed = datetime(2026, 11, 30, 16, 6, 42, 707000, tzinfo=UTC).timestamp()
    host.says(failed, "Waiting for domain shop (domid 6) to die [pid 9]\n", path="/var/log/xen/xl-shop.log")
    host.pipeline.read(Chunk(driver, NO_DISK.encode(), Position("d", 0, 1), TimeHint(failed), final=True))
    host.pipeline.conclude(failed + 1.0)
    incident = next(i for i in host.pipeline.incidents.all() if i.diagnosis.rule == "disk-image-missing")
    assert str(incident.diagnosis.subject) == "domain/shop"
    host.sees(failed + 60.0)
    host.sees(failed + 65.0, **{guest: "blocked"})
    assert ("disk-image-missing" in host.open) is remains


UNIT = "2026-11-30T16:{}:00+00:00 xenhost systemd[1]: Started save.service - /usr/sbin/xl save web /srv/web.save.\n"
FULL = (
    "2026-11-30T16:20:09+00:00 xenhost xl[1737]: xc: error: Failed to write page data to stream "
    "(28 = No space left on device): Internal error\n"
)


@pytest.mark.parametrize(("again", "gone", "remains"), [(True, True, False), (False, True, True), (True, False, True)])
def test_a_save_that_failed_is_over_when_the_guest_was_saved_since(
    rules: Sequence[Rule], again: bool, gone: bool, remains: bool
) -> None:
    """It is gone after a further attempt: one that merely went away, or is still there, was not saved."""
    host, failed = Host(rules), datetime(2026, 11, 30, 16, 20, 9, tzinfo=UTC).timestamp()
    source = Source("/var/log/syslog", all_formats()["syslog"])

    def syslog(text: str, at: float, offset: int) -> None:
        host.pipeline.read(Chunk(source, text.encode(), Position("s", offset, offset), TimeHint(at), final=True))
        host.pipeline.conclude(at)

    host.sees(failed - 20.0, web="blocked")
    syslog(UNIT.format(20) + FULL, failed, 0)
    assert "domain/web" in {str(i.diagnosis.subject) for i in host.pipeline.incidents.all()}
    if again:
        syslog(UNIT.format(24), failed + 240.0, 900)
    host.sees(failed + 260.0, **({} if gone else {"web": "blocked"}))
    assert bool(host.open) is remains


VG, LV = (
    Metric("xen_lvm_vg_size_bytes", "gauge", "", ("vg",)),
    Metric("xen_lvm_lv_size_bytes", "gauge", "", ("vg", "lv")),
)
INVALID = (
    "2026-11-30T16:34:59.521139+00:00 xenhost kernel: [  501.451764] device-mapper: snapshots: Invalidating snapshot: "
    "Unable to allocate exception.\n"
    "2026-11-30T16:34:59.560782+00:00 xenhost dmeventd[1678]: WARNING: Snapshot dsk-g1snap changed state to: Invalid "
    "and should be removed.\n"
)


@pytest.mark.parametrize(
    ("volumes", "remains"), [(["g1"], False), (["g1", "g1snap"], True), ([], True)], ids=["removed", "there", "silent"]
)
def test_what_was_wrong_with_a_volume_is_over_when_it_was_removed(
    rules: Sequence[Rule], volumes: list[str], remains: bool
) -> None:
    """The kernel's own line, which names no volume, is no incident of the host beside it."""
    host, at = Host(rules), datetime(2026, 11, 30, 16, 34, 59, 560782, tzinfo=UTC).timestamp()

    def lvm(later: float, *names: str, asked: float | None = None) -> None:
        health = {"lvm": CollectorHealth("lvm", True, 0.1, at + asked)} if asked is not None else {}
        samples = [Sample(LV, ("dsk", name), 1.0) for name in names] + [Sample(VG, ("dsk",), 9.0)] * bool(names)
        host.pipeline.snapshot(Snapshot(at + later, tuple(samples), health))
        host.pipeline.conclude(at + later)

    lvm(-5.0, "g1")
    syslog = Source("/var/log/syslog", all_formats()["syslog"])
    host.pipeline.read(Chunk(syslog, INVALID.encode(), Position("s", 0, 1), TimeHint(at), final=True))
    host.pipeline.conclude(at)
    causes = [i for i in host.pipeline.incidents.all() if i.explained_by is None]
    assert [str(i.diagnosis.subject) for i in causes] == ["lv/dsk-g1snap"]
    lvm(10.0, "g1", asked=-5.0)  # LVM's answer from before there was such a volume
    assert causes[0].id in {i.id for i in host.pipeline.incidents.all() if i.state != "resolved"}
    lvm(15.0, *volumes, asked=14.0)
    assert (causes[0].id in {i.id for i in host.pipeline.incidents.all() if i.state != "resolved"}) is remains
