"""A failed start is over when the same guest was started since; what is not repaired stays open."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.sample import Metric, Sample, Snapshot

NOW = 1_790_000_000.0
STATE = Metric("xen_domain_state", "stateset", "", ("domain", "state"))
INFO = Metric("xen_domain_info", "info", "", ("domain", "uuid", "domid"))
START = Metric("xen_domain_start_time_seconds", "gauge", "", ("domain",))
DEVICES = {
    "xvd": Metric("xen_domain_vbd_info", "info", "", ("domain", "device")),
    "vif": Metric("xen_domain_vif_info", "info", "", ("domain", "vif")),
}
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
            samples += [Sample(DEVICES[device[:3]], (name, device), 1.0) for device in devices.split()]
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


@pytest.mark.parametrize(("later", "remains"), [("xvda", True), ("xvda xvdb", False), ("xvda vif0", False)])
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
