"""A thousand guests with two vcpus, vbds and vifs each are all there; exporters have stopped at 512."""

from collections import Counter
from pathlib import Path

from hosts.crowd import crowd

from xenwatch.base.clock import SystemClock
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import take_once


async def test_a_thousand_guests_are_sampled_whole(tmp_path: Path) -> None:
    uri = crowd(tmp_path, 1000)
    host = build_host(SystemClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=uri)
    on = {"lvm": False, "daemons": False}
    snapshot = await take_once(host, host.clock, on)
    await host.close()
    assert {name: health.error for name, health in snapshot.health.items() if not health.ok} == {}
    counts = Counter(sample.metric.name for sample in snapshot.samples)
    assert counts["xen_domain_cpu_seconds_total"] == 1000
    assert counts["xen_domain_vcpu_seconds_total"] == 2000
    assert counts["xen_domain_vbd_read_bytes_total"] == 2000
    assert counts["xen_domain_vif_receive_bytes_total"] == 2000
    values = {(s.metric.name, s.labels): s.value for s in snapshot.samples}
    assert values["xen_domain_vbd_read_bytes_total", ("guest1000", "xvdb")] == 1000005 * 512
    assert values["xen_domain_vif_receive_bytes_total", ("guest7", "1")] == 7500
