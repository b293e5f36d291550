"""iSCSI sessions: whether each is logged in."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import names_in, read_text
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

UP = Metric("xen_iscsi_session_up", "gauge", "Whether an iSCSI session is logged in", ("target", "portal"))


async def _collect(host: Host) -> Sequence[Sample]:
    classes = host.paths.at("sys/class")
    if not (classes / "iscsi_session").is_dir():
        raise Unsupported("iscsi: the kernel has no iSCSI")
    return list(_sessions(classes))


def _sessions(classes: Path) -> Iterator[Sample]:
    for name in names_in(classes / "iscsi_session"):
        folder = classes / "iscsi_session" / name
        connection = classes / "iscsi_connection" / f"connection{name.removeprefix('session')}:0"
        address, port = (read_text(connection / f"persistent_{part}") or "" for part in ("address", "port"))
        state = read_text(folder / "state")
        if state is not None:
            labels = (read_text(folder / "targetname") or name, f"{address}:{port}" if address else "")
            yield Sample(UP, labels, float(state == "LOGGED_IN"))


COLLECTOR = Collector(name="iscsi", metrics=(UP,), begin=lambda: _collect, interval=30.0, deadline=10.0)
