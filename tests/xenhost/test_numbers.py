"""Every number about the host is what Xen's and Linux's own tools say; the exposition is clean and bounded."""

import subprocess
from collections.abc import Callable

import pytest
import table
from machine import Machine
from monitoring.tools import tool

pytestmark = pytest.mark.xenhost

GUESTS = """
echo 'vif = ["mac=00:16:3e:00:00:61,bridge=xenbr0"]
disk = ["phy:/dev/dsk/g1,xvda,w"]' | /opt/xenhost/guest.sh web linux 'lab_ip=192.168.77.11 lab_do=ping'
echo 'vif = ["mac=00:16:3e:00:00:62,bridge=xenbr0"]
disk = ["phy:/dev/dsk/g2,xvda,w"]' | /opt/xenhost/guest.sh db grub
xl create /etc/xen/web.cfg; xl create /etc/xen/db.cfg; sleep 90
"""
NOT_COMPARED = {
    "xen_bridge_mac_moves_total": "counted by xenwatch alone, from one reading to the next",
    "xen_bridge_ports_limit": "a constant of the kernel",
    "xen_crash_dumps": "no guest has crashed",
    "xen_daemon_cpu_seconds_total": "ps rounds to seconds; moves all the time",
    "xen_daemon_start_time_seconds": "ps tells an age in seconds, not a time",
    "xen_domain_autostart": "no tool tells it for guests of xl",
    "xen_domain_config_drift": "no tool compares what runs with what is kept; guests of xl keep nothing",
    "xen_domain_lifecycle_events_total": "what libvirt sent, which no tool counts",
    "xen_domain_restarts_total": "counted by xenwatch alone",
    "xen_domain_state_reason": "xl has a reason only for what has shut down",
    "xen_domain_vbd_backing_info": "joined by xenwatch from sysfs and LVM",
    "xen_domain_vcpu_runnable": "changes by the millisecond",
    "xen_event_channels_limit": "the kernel's log tells its ABI, where it still reaches back to the start",
    "xen_kpartx_mappings": "see the story of a mapping left over",
    "xen_lvm_lv_created_timestamp_seconds": "lvs prints local time",
    "xen_lvm_lv_holder_info": "joined by xenwatch from sysfs and xenstore",
    "xen_xenstore_node_quota": "no tool tells it; the daemon's default, unless it was started otherwise",
    "xen_xenstore_probe_duration_seconds": "xenwatch's own stopwatch",
}
MOST_SERIES_PER_GUEST = 90
"""A guest with one vcpu, disk and vif has about 70."""


def test_the_tools_agree_with_every_number(host: Machine, tables: Callable[[str, dict[str, object]], None]) -> None:
    suite = host.image.suite.name
    host.run(GUESTS, timeout=300)
    rows, text = table.compare(host)
    said = [[r.told.family, r.told.labels, r.told.by, r.told.value, r.before, r.after, r.agrees] for r in rows]
    tables(suite, {"rows": said, "by_domain": dict(table.by_domain(text)), "series": len(table.series(text))})
    compared = {row.told.family for row in rows}
    assert [row for row in rows if not row.agrees] == []
    assert table.families(text) - compared - NOT_COMPARED.keys() == set()
    assert max(dict(table.by_domain(text)).values()) < MOST_SERIES_PER_GUEST
    assert _promtool(text) == ""


def _promtool(text: str) -> str:
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return checked.stdout + checked.stderr
