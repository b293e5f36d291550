"""The connections to each listener, as metric families."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from xenwatch.web.server.listener import Listener


def listener_families(listeners: Mapping[str, Listener]) -> Iterator[Metric]:
    """Connections to each listener."""
    held = GaugeMetricFamily("xenwatch_web_connections", "Open connections to a listener", labels=["listener"])
    dropped = CounterMetricFamily(
        "xenwatch_web_connections_dropped",
        "Connections that the listener ended, by reason",
        labels=["listener", "reason"],
    )
    for name, listener in listeners.items():
        held.add_metric([name], listener.connections)
        for reason, count in sorted(listener.dropped.items()):
            dropped.add_metric([name, reason], count)
    yield from (held, dropped)
