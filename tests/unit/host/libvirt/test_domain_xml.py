"""Two definitions of a domain differ in what a person set, and not in what libvirt writes at each start."""

import pytest

from xenwatch.host.libvirt.domain_xml import PARTS, drifted

LIVE = """<domain type='xen' id='4'>
  <name>lv1</name>
  <memory unit='KiB'>131072</memory>
  <currentMemory unit='KiB'>131072</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>/boot/vmlinux</kernel>
    <cmdline>console=hvc0 quiet </cmdline>
  </os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>preserve</on_crash>
  <devices>
    <disk type='block' device='disk'>
      <driver name='phy' type='raw'/>
      <source dev='/dev/dsk/g2'/>
      <target dev='xvda' bus='xen'/>
    </disk>
    <disk type='file' device='cdrom'>
      <source file='/iso/one.iso'/>
      <target dev='xvdc' bus='xen'/>
    </disk>
    <interface type='bridge'>
      <mac address='00:16:3e:00:00:51'/>
      <source bridge='xenbr0'/>
      <target dev='vif4.0'/>
    </interface>
    <interface type='network'>
      <mac address='00:16:3E:00:00:52'/>
      <source network='default' portid='b7a1' bridge='virbr0'/>
    </interface>
    <hostdev mode='subsystem' type='pci'>
      <source><address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/></source>
    </hostdev>
    <console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/></console>
  </devices>
</domain>"""
"""As libvirt 9.0 wrote it on Xen 4.17, with more devices."""
KEPT = (
    LIVE.replace(" id='4'", "")
    .replace("<memory unit='KiB'>131072", "<memory unit='MiB'>128")
    .replace("<target dev='vif4.0'/>", "")
    .replace(" portid='b7a1' bridge='virbr0'", "")
    .replace("00:16:3E", "00:16:3e")
    .replace("/iso/one.iso", "/iso/other.iso")
    .replace(" tty='/dev/pts/1'", "")
)


def test_what_a_start_adds_by_itself_and_a_changed_cd_are_no_drift() -> None:
    assert drifted(LIVE, KEPT) == dict.fromkeys(PARTS, False)


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("memory", "<memory unit='MiB'>128", "<memory unit='MiB'>256"),
        ("current_memory", "<currentMemory unit='KiB'>131072", "<currentMemory unit='KiB'>65536"),
        ("vcpus", "<vcpu placement='static'>1", "<vcpu placement='static' current='1'>2"),
        ("vcpus", "<vcpu placement='static'>", "<vcpu placement='static' cpuset='2-3'>"),
        ("boot", "/boot/vmlinux", "/boot/vmlinux.new"),
        ("on_event", "preserve", "restart"),
        ("disks", "/dev/dsk/g2", "/dev/dsk/g3"),
        ("disks", "<target dev='xvda' bus='xen'/>", "<target dev='xvda' bus='xen'/><readonly/>"),
        ("interfaces", "bridge='xenbr0'", "bridge='xenbr1'"),
        ("interfaces", "00:16:3e:00:00:51", "00:16:3e:00:00:99"),
        ("passthrough", "bus='0x03'", "bus='0x04'"),
    ],
)
def test_what_a_person_changed_for_the_next_start_drifts_and_nothing_else_does(
    part: str, before: str, after: str
) -> None:
    assert before in KEPT
    assert {name for name, differs in drifted(LIVE, KEPT.replace(before, after)).items() if differs} == {part}


def test_a_definition_that_leaves_out_what_has_a_default_is_compared_all_the_same() -> None:
    assert not any(drifted("<domain/>", "<domain><vcpu>1</vcpu></domain>").values())
