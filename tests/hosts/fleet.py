"""A fleet as a hub sees it, without an etcd: hosts, their incidents, and a cause outside of them."""

import json

from xenwatch.base.clock import Clock
from xenwatch.fleet.claims import MAINTENANCE, SLOTS
from xenwatch.fleet.etcd import EtcdClient, KeyValue
from xenwatch.fleet.host_report import self_key
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.incident import FleetIncident
from xenwatch.fleet.rule import fleet_rules
from xenwatch.fleet.storm import STORM


def _no_etcd() -> EtcdClient:
    raise AssertionError("nobody connects")


def a_fleet(
    clock: Clock, hosts: int = 3, incidents: int = 6, marked: str = "<script>document.title='owned'</script>"
) -> Hub:
    """Each host has the same trouble with one NFS server; `marked` is what somebody wrote into it."""
    hub = Hub("hub1", _no_etcd, fleet_rules(), clock)
    names = [f"xen{number}" for number in range(1, hosts + 1)]
    child = {"rule": "nfs-server-dead", "class": "storage-nfs", "severity": "error", "subject": "mount/10.0.0.9:/vm",
             "summary": f"nfs: server 10.0.0.9 not responding {marked}", "state": "explained", "opened": 1e9,
             "fields": {}}  # fmt: skip
    ids = [(names[number % hosts], f"i{number}") for number in range(incidents)]
    cause = FleetIncident(
        "a1", "fleet-nfs-server-dead", "10.0.0.9", f"An NFS server is down {marked}", "critical",
        "Its clients wait for it, on every host at once.", tuple(names), tuple(f"{host}/{id_}" for host, id_ in ids),
    )  # fmt: skip
    slot = {"host": "xen1", "run": "018b", "target": f"domain/{marked}", "action": "domain_migrate"}
    about = {"xenwatch": "1.0", "kernel": "6.1.0-25-amd64"}
    hub.view._take_all(
        [
            *(KeyValue(self_key(n), json.dumps({**about, "pages": f"https://{n}.example:10197"}), 1, 1) for n in names),
            *(KeyValue(f"/xenwatch/hosts/{h}/incidents/{i}", json.dumps(child), 2, 2) for h, i in ids),
            KeyValue(cause.etcd_key, cause.as_json(), 3, 3),
            KeyValue(f"{SLOTS}0", json.dumps(slot), 2, 2),
            KeyValue(f"{MAINTENANCE}host/xen2", '{"words": "maintenance of host/xen2 by ann on xen2: disks"}', 2, 2),
            KeyValue(STORM, "40 of 50 hosts began to fail within 300 s", 2, 2),
        ]
    )
    return hub
