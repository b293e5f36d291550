"""What became of the messages to each destination of notifications."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


def notification_families(
    delivered: Mapping[str, int], failed: Mapping[str, int], waiting: Mapping[str, int]
) -> Iterator[Metric]:
    """Attempts by destination and result, and the incidents that a destination has not heard of yet."""
    attempts = CounterMetricFamily(
        "xenwatch_notifications",
        "Attempts to send a message to a destination of notifications, by result",
        labels=["destination", "result"],
    )
    for result, counts in (("delivered", delivered), ("failed", failed)):
        for destination, count in counts.items():
            attempts.add_metric([destination, result], count)
    yield attempts
    pending = GaugeMetricFamily(
        "xenwatch_notification_incidents_waiting",
        "Incidents that a destination is to hear of, now or after quiet hours",
        labels=["destination"],
    )
    for destination, count in waiting.items():
        pending.add_metric([destination], count)
    yield pending
