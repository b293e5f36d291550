"""`device.kind`, `guest.phase`, `operation.*` and the phase of a rule: what expressions may ask besides the fields."""

import pytest

from xenwatch.base.errors import RuleError
from xenwatch.diagnosis.operations.banners import Banners, last_banners
from xenwatch.diagnosis.operations.devices import device_kind
from xenwatch.diagnosis.operations.guest_phases import LOOK_BACK, guest_phase
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint

KINDS = {
    "libxl: error: libxl_device.c:1121:device_backend_callback: unable to add device with path backend/vif/7/0": "vif",
    "Error: Device 769 (vbd) could not be connected. Backend device not found.": "vbd",
    "[2011-05-18 20:55:04 3456] DEBUG (DevController:160) Waiting for devices vkbd.": "vkbd",
    "libxl: error: libxl_pci.c:1300:libxl__add_pcidevs: Domain 3:libxl_device_pci_add failed: -3": "pci",
    "xl block-attach DomU /dev/loop0,raw,xvda3,specification=virtio": "vbd",
    "libxl: error: libxl_virtio.c:55:libxl__device_virtio_setdefault: Domain 3:Missing virtio type": "virtio",
    "/etc/xen/scripts/block: losetup: not found": "vbd",
    "xen_netback:xenvif_alloc: xen_netback: Could not allocate netdev": "vif",
    "libxl: error: libxl_usb.c:300:libxl__device_usbctrl_add_hvm: Domain 3:failed": "usb",
    "xenconsoled: Failed to open guest log": "console",
    "VmError: (12, 'Cannot allocate memory')": None,
}


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_a_line_speaks_of_a_kind_of_device(text: str, kind: str | None) -> None:
    assert device_kind(text) == kind


def dump(*lines: str) -> str:
    return "\n".join(["Domain 5 (vcpu#0) crashed on cpu#3:", *lines])


PHASES = {
    "the reset vector": (
        dump(
            "RIP:    0000:[<000000000000fff0>]",
            "RFLAGS: 0000000000010002   CONTEXT: hvm guest (d5v0)",
            "cr0: 0000000000000010   cr4: 0000000000000000",
            "ds: 0000   es: 0000   fs: 0000   gs: 0000   ss: 0000   cs: f000",
        ),
        "firmware",
    ),
    "a segment of the BIOS": ("MMIO emulation failed (1): d7v0 16bit @ f000:0000fff0 -> 0f c7 0f", "firmware"),
    "the boot sector": ("MMIO emulation failed (1): d7v0 Real @ 0000:00007c3e -> 0f c7 0f", "loader"),
    "a kernel that starts a second vcpu": ("MMIO emulation failed (1): d7v1 Real @ 9a00:00000012 -> 0f", None),
    "OVMF in flash": ("MMIO emulation failed (1): d7v0 32bit @ 0010:ffffd2a0 -> 0f c7 0f", "firmware"),
    "OVMF's own segment": ("MMIO emulation failed (1): d7v0 64bit @ 0038:7eb1a2c0 -> 0f c7 0f", "firmware"),
    "hvmloader, without paging": (
        dump("RIP:    0008:[<0000000000101a2b>]", "CONTEXT: hvm guest (d5v0)", "cr0: 0000000000000011   cr4: 00"),
        "firmware",
    ),
    "a kernel": (dump("RIP:    0010:[<ffffffff81001234>]", "CONTEXT: hvm guest (d5v0)", "cr0: 80050033"), "kernel"),
    "a PV guest has no firmware": (dump("RIP:    e033:[<000000000000fff0>]", "CONTEXT: pv guest (d5v0)"), None),
    "no registers": ("d3v0 Triple fault - invoking HVM shutdown action 3", None),
}


@pytest.mark.parametrize(("text", "phase"), PHASES.values(), ids=PHASES)
def test_the_registers_show_how_far_the_guest_had_got(text: str, phase: str | None) -> None:
    assert guest_phase(text) == phase


def test_the_last_banner_of_each_guest_counts() -> None:
    text = b"(XEN) (d3) HVM Loader\n(d4) Linux version 6.1.0\n(XEN) [ 12.5] (d3) GNU GRUB  version 2.06\n"
    assert last_banners(text) == {"3": "loader", "4": "kernel"}


def test_a_console_is_its_guests_own() -> None:
    assert last_banners(b"SeaBIOS (version 1.16)\n[    0.000000] Linux version 6.1.0\n") == {"": "kernel"}


def test_at_each_record_the_banner_before_it_counts_whatever_is_asked_first() -> None:
    lines = [b"(d%d) %s\n" % (n % 3, w) for n in range(400) for w in (b"HVM Loader", b"x" * 90, b"Linux version 6")]
    text = b"".join(lines)
    banners = Banners(text)
    for start in [*range(0, len(text), 211), 7, LOOK_BACK + 50, len(text)]:
        assert [banners.before(start, d) for d in "0123"] == [last_banners(text[:start]).get(d) for d in "0123"]


HYPOTHESES = """\
signatures: [{regex: 'could not be (?:attached|given)'}]
subject: domain
cause: nobody knows
hypotheses:
  - {class: of-a-migration, where: 'operation.verb == "migrate" && operation.target == "web"'}
  - {class: of-a-pci-device, where: 'device.kind == "pci"'}
  - {class: in-teardown, where: 'operation.phase == "teardown"'}
"""


def classes(rule: Rule, text: str) -> list[str]:
    pipeline = Pipeline([rule], at_rest=True)
    source = Source("x.txt", all_formats()["stderr"])
    pipeline.read(Chunk(source, text.encode(), Position("x.txt", 0, 1), TimeHint(1_790_000_000.0), final=True))
    return [d.class_ for d in pipeline.diagnose(float("inf"))]


def test_a_hypothesis_asks_what_was_being_done(kit) -> None:
    rule = kit.rule(HYPOTHESES)
    assert classes(rule, "# xl migrate web otherhost\nthe disk could not be attached\n") == ["of-a-migration"]
    assert classes(rule, "# xl migrate mail otherhost\nthe disk could not be attached\n") == ["a-class"]
    assert classes(rule, "# xl create web.cfg\nlibxl_pci.c: it could not be attached\n") == ["of-a-pci-device"]
    assert classes(rule, "# xl create web.cfg\nDestroying the domain: it could not be given\n") == ["in-teardown"]


def test_a_rule_says_its_phase_itself_where_the_part_that_writes_the_line_does_not(kit) -> None:
    rule = kit.rule(f"phase: teardown\n{HYPOTHESES}")
    assert classes(rule, "# xl create web.cfg\nthe disk could not be attached\n") == ["in-teardown"]
    with pytest.raises(RuleError, match="phase"):
        kit.rule(f"phase: breakfast\n{HYPOTHESES}")


def test_a_signature_asks_for_the_kind_of_device(kit) -> None:
    rule = kit.one("(?P<what>it failed)", where="device.kind == 'vif'")
    assert classes(rule, "vif-bridge: it failed\n") == ["a-class"]
    assert classes(rule, "/etc/xen/scripts/block: it failed\n") == []


def test_a_banner_that_came_in_an_earlier_piece_of_the_log_counts(kit) -> None:
    rule = kit.rule(
        "signatures: [{regex: 'd(?P<domid>[0-9]+)v0 Triple fault'}]\nsubject: domain\n"
        "hypotheses: [{class: in-firmware, where: 'guest.phase == \"firmware\"'}]\n"
    )
    pipeline = Pipeline([rule], at_rest=True)
    source, offset = Source("x.log", all_formats()["hypervisor"]), 0
    for line in (b"(d3) HVM Loader\n", b"(XEN) quiet\n", b"(XEN) d3v0 Triple fault\n(XEN) d4v0 Triple fault\n"):
        pipeline.read(Chunk(source, line, Position("x.log", offset), TimeHint(1_790_000_000.0)))
        offset += len(line)
    assert [(d.subject.name, d.class_) for d in pipeline.diagnose(float("inf"))] == [
        ("3", "in-firmware"),
        ("4", "a-class"),
    ]
