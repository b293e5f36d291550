"""The metrics of a hub: one series for each cause, one for each child that its page stands for, and the hub itself."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from xenwatch.fleet.claims import LEASES, MAINTENANCE
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.storm import STORM
from xenwatch.model.sample import Metric

_P = "xenwatch_fleet_"
CAUSE = Metric(
    _P + "incident_open",
    "gauge",
    "Hosts that one cause outside of them concerns.",
    ("id", "rule", "key", "severity"),
)
CHILD = Metric(
    _P + "child_open",
    "gauge",
    "1 while an incident of a host is explained by a cause outside of it; its own alerts are then quiet.",
    ("id", "host", "host_instance", "child_rule"),
)
HOSTS = Metric(_P + "hosts", "gauge", "Hosts with an agent that is there.", ())
LEADER = Metric(_P + "hub_leader", "gauge", "1 on the hub that leads.", ())
CURRENT = Metric(_P + "hub_current", "gauge", "1 while the hub sees etcd.", ())
HELD_SLOTS = Metric(_P + "slots_held", "gauge", "Slots of the fleet's budget that runs hold.", ("host",))
HELD_LEASES = Metric(_P + "leases_held", "gauge", "Targets on which a run holds a lease.", ())
STORM_ACTIVE = Metric(_P + "storm_active", "gauge", "1 while nothing starts by itself on any host.", ())
MAINTAINED = Metric(_P + "maintenance", "gauge", "Scopes in maintenance.", ())


class HubMetrics(Collector):
    """Made for each scrape from what the hub knows then."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The library's protocol."""
        view = self._hub.view
        yield self._causes()
        yield self._children()
        yield self._slots()
        marks = view.marks
        single = {
            HOSTS: len(view.hosts),
            LEADER: int(self._hub.is_leader),
            CURRENT: int(view.is_current),
            HELD_LEASES: sum(key.startswith(LEASES) for key in marks),
            STORM_ACTIVE: int(STORM in marks),
            MAINTAINED: sum(key.startswith(MAINTENANCE) for key in marks),
        }
        for metric, value in single.items():
            yield GaugeMetricFamily(metric.name, metric.help, value)

    def _causes(self) -> GaugeMetricFamily:
        family = _family(CAUSE)
        for incident in filter(lambda incident: incident.is_open, self._hub.view.fleet.values()):
            labels = [incident.id, incident.rule, incident.key, incident.severity]
            family.add_metric(labels, len(incident.hosts))
        return family

    def _children(self) -> GaugeMetricFamily:
        """Several incidents of one rule on one host are one series, as they are one label for Alertmanager."""
        view, family = self._hub.view, _family(CHILD)
        known = {f"{child.host}/{child.id}": child for child in view.incidents.values()}
        found = {
            (incident.id, child.host, view.hosts.get(child.host, {}).get("metrics", ""), child.rule): None
            for incident in view.fleet.values()
            if incident.is_open
            for child in map(known.get, incident.children)
            if child is not None and child.is_open
        }
        for labels in found:
            family.add_metric(list(labels), 1)
        return family

    def _slots(self) -> GaugeMetricFamily:
        family, hosts = _family(HELD_SLOTS), [slot.host for slot in self._hub.view.slots()]
        for host in dict.fromkeys(hosts):
            family.add_metric([host], hosts.count(host))
        return family


def _family(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.help, labels=list(metric.labels))
