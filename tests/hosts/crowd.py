"""A host with as many guests as wanted: libvirt's test driver for the domains, a made-up sysfs for their devices."""

from pathlib import Path

from hosts.recorded import plant

_DISKS = (51712, 51728)
_STATISTICS = ("rd_req", "wr_req", "f_req", "ds_req", "oo_req", "rd_sect", "wr_sect")


def crowd(root: Path, guests: int) -> str:
    """Make the files of a host below `root`; the URI to its libvirt. Each guest has two vcpus, vbds and vifs."""
    lines, rows = (
        [],
        ["Inter-| Receive | Transmit", " face |bytes packets errs drop fifo frame compressed multicast|..."],
    )
    for domid in range(1, guests + 1):
        for disk in _DISKS:
            folder = f"sys/bus/xen-backend/devices/vbd-{domid}-{disk}/statistics"
            lines += [f"{folder}/{name} = {domid * 1000 + n}\\n" for n, name in enumerate(_STATISTICS)]
        for n in (0, 1):
            lines.append(f"sys/bus/xen-backend/devices/vif-{domid}-{n}/devtype = vif\\n")
            lines.append(f"sys/class/net/vif{domid}.{n}/operstate = up\\n")
            lines.append(f"sys/class/net/vif{domid}.{n}/master -> ../xenbr0")
            rows.append(f"vif{domid}.{n}: {domid}000 10 0 0 0 0 0 0 {domid}500 20 0 1 0 0 0 0")
    lines.append("proc/net/dev = " + "\\n".join(rows))
    plant(root, "\n".join(lines))
    node = root / "node.xml"
    node.write_text(f"<node>{''.join(_guest(n) for n in range(1, guests + 1))}</node>")
    return f"test://{node}"


def _guest(number: int) -> str:
    uuid = f"5f1c6a1e-0b1d-4c0a-9d3e-{number:012x}"
    return (
        f"<domain type='test'><name>guest{number}</name><uuid>{uuid}</uuid><memory>524288</memory>"
        "<vcpu>2</vcpu><os><type>hvm</type></os></domain>"
    )
