"""What the kernel, libvirt and QEMU say, read out of tiny sources; and logs of other systems open no incident."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "packaging/coverage"
sys.path.insert(0, str(TOOL))

from component import Component, tree_at
from components import hvmloader, libvirt_xen, linux_frontends, linux_xen, qemu_xen
from values import fill

sys.path.remove(str(TOOL))
KERNEL = r"""
#define pr_fmt(fmt) "xen:" KBUILD_MODNAME ": " fmt
static int blkback_connect(struct backend_info *be)
{
        pr_err("cannot bind: %d\n", err);
        pr_debug("all is well\n");
        xenbus_dev_fatal(dev, err, "reading %s", dev->otherend);
        dev_warn(&dev->dev, "writing feature-barrier (%d)", err);
        printk(KERN_WARNING "no page left\n");
        printk(KERN_INFO "started\n");
}
"""
LIBVIRT = r"""
static int
libxlDomainStart(libxlDriverPrivate *driver)
{
    virReportError(VIR_ERR_OPERATION_INVALID, _("domain %s is running"), name);
    virReportSystemError(errno, _("cannot open %s"), path);
    VIR_WARN("slow");
    VIR_DEBUG("fine");
}
"""
QEMU = r"""
static void xen_block_realize(XenDevice *xendev, Error **errp)
{
    error_setg_errno(errp, errno, "failed to open '%s'", filename);
    xen_pv_printf(xendev, 0, "bad ring\n");
    xen_pv_printf(xendev, 2, "ring is fine\n");
    XEN_PT_ERR(d, "no BAR\n");
}
"""
HVMLOADER = r"""
void setup(void)
{
    printf("Writing tables\n");
    printf("no space for resource!\n");
}
"""
OTHER_SYSTEMS = """\
Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh rhost=10.0.0.9
Jun 15 02:04:59 combo kernel: Out of range of the disk cache, using defaults
[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6
2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapred: attempt_1445144423722_0020_m_000001_0: Failed to connect
nova-compute.log 2017-05-16 00:00:04.562 2931 WARNING nova.virt.libvirt.imagecache Unknown base file: /var/lib/nova/a0
failed to create symlink in /Users/web: not found
"""


def _lines(component: Component, name: str, text: str, root: Path) -> list[tuple[str, str]]:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    tree = tree_at(root, "6.1")
    lines = [component.line(m, fill(m.format, m.args, m.function).strip("\n"), tree) for m in component.messages(tree)]
    return [(line.stream, line.text) for line in lines]


def test_a_kernel_message_has_the_prefix_of_its_file_or_its_device(tmp_path: Path):
    found = [text for _, text in _lines(linux_xen.COMPONENT, "drivers/xen/probe.c", KERNEL, tmp_path)]
    assert [text.split("678901] ")[1] for text in found] == [
        "no page left",
        "xen:probe: cannot bind: 5",
        "vbd vbd-7-51712: writing feature-barrier (5)",
        "vbd vbd-7-51712: 22 reading xvda",
    ]


def test_a_frontend_speaks_on_the_console_of_its_guest(tmp_path: Path):
    found = _lines(linux_frontends.COMPONENT, "drivers/block/xen-blkfront.c", KERNEL, tmp_path)
    assert ("console", "[12345.678901] vbd vbd-51712: 22 reading xvda") in found


def test_libvirt_puts_the_kind_of_an_error_before_it(tmp_path: Path):
    found = [text for _, text in _lines(libvirt_xen.COMPONENT, "src/libxl/libxl_domain.c", LIBVIRT, tmp_path)]
    assert [text.split(" : ", 2)[2] for text in found] == [
        "Requested operation is not valid: domain web is running",
        "cannot open /var/lib/xen/web.img: Invalid argument",
        "slow",
    ]


def test_qemu_says_only_what_is_of_level_zero(tmp_path: Path):
    found = [text for _, text in _lines(qemu_xen.COMPONENT, "hw/block/xen-block.c", QEMU, tmp_path)]
    assert found == [
        "qemu-system-i386: failed to open '/var/lib/xen/web.img': Invalid argument",
        "[00:05.0] xen_block_realize: Error: no BAR",
        "xen be: qdisk-51712: bad ring",
    ]


def test_progress_of_hvmloader_is_no_message(tmp_path: Path):
    found = _lines(hvmloader.COMPONENT, "tools/firmware/hvmloader/pci.c", HVMLOADER, tmp_path)
    assert found == [("hypervisor", "(d7) no space for resource!")]


def test_logs_of_other_systems_open_no_incident(tmp_path: Path):
    (tmp_path / "hadoop.log").write_text(OTHER_SYSTEMS)
    (tmp_path / "xen.log").write_text("Jul 14 14:18:02 dom0 kernel: xen:balloon: Cannot add additional memory (-17)\n")
    ran = subprocess.run(
        [sys.executable, str(TOOL / "foreign.py"), str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "hadoop.log" not in ran.stdout, ran.stdout + ran.stderr
    assert "xen.log as kernel" in ran.stdout
