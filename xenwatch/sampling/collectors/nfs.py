"""NFS mounts: whether each server answers, asked by a child that can be killed, so that a dead server hangs nothing."""

import asyncio
from collections.abc import Sequence

from xenwatch.base.errors import CommandFailed, TimedOut
from xenwatch.host.files import read_text
from xenwatch.host.host import Host
from xenwatch.host.parse.mounts import Mount, parse_mounts
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

UP = Metric("xen_nfs_mount_up", "gauge", "Whether a mounted NFS server answers", ("mountpoint", "server"))
DURATION = Metric(
    "xen_nfs_mount_probe_duration_seconds", "gauge", "How long an NFS mount took to answer", ("mountpoint",)
)

PROBE_SECONDS = 5.0
_LONGEST_SKIP = 9


class _Reader:
    """A mount that hangs is asked ever less often, for a child stuck in the kernel may not even die."""

    def __init__(self) -> None:
        self._hung: dict[str, int] = {}
        self._skip: dict[str, int] = {}

    async def __call__(self, host: Host) -> Sequence[Sample]:
        mounts = parse_mounts(read_text(host.paths.at("proc/mounts")) or "")
        remote = [mount for mount in mounts if mount.type in ("nfs", "nfs4")]
        probes = await asyncio.gather(*(self._probe(host, mount) for mount in remote))
        points = {mount.point for mount in remote}
        for memory in (self._hung, self._skip):
            for point in memory.keys() - points:
                del memory[point]
        return [sample for samples in probes for sample in samples]

    async def _probe(self, host: Host, mount: Mount) -> list[Sample]:
        labels = (mount.point, mount.device.rpartition(":/")[0])
        if self._skip.get(mount.point, 0) > 0:
            self._skip[mount.point] -= 1
            return [Sample(UP, labels, 0.0)]
        started = host.clock.monotonic()
        try:
            done = await host.runner.run(("stat", "-f", "-t", "--", mount.point), PROBE_SECONDS)
        except TimedOut:
            self._hung[mount.point] = self._hung.get(mount.point, 0) + 1
            self._skip[mount.point] = min(2 ** self._hung[mount.point] - 2, _LONGEST_SKIP)
            return [Sample(UP, labels, 0.0)]
        except CommandFailed:
            return []  # there is no stat program to ask with
        self._hung.pop(mount.point, None)
        took = Sample(DURATION, (mount.point,), host.clock.monotonic() - started)
        return [Sample(UP, labels, float(done.returncode == 0)), took]


COLLECTOR = Collector(name="nfs", metrics=(UP, DURATION), begin=_Reader, interval=60.0, deadline=30.0)
