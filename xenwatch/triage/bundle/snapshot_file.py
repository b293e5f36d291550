"""A snapshot as metrics text in a support bundle, and back: `diagnose` judges it elsewhere as it would here."""

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import InvalidValue
from xenwatch.model.sample import Metric, Sample, Snapshot

FILE = "metrics.txt"
"""Name of the file in a bundle."""
OWN_TEXT = b"Collected by xenwatch "
"""How the text for people in a bundle begins: it lists errors, but is not a log."""
_HEAD = re.compile(r"# xenwatch snapshot at (\d{1,10}(?:\.\d+)?)\n")


def write_snapshot(snapshot: Snapshot) -> str:
    """Text format of Prometheus, below a line that says when the snapshot was taken."""
    from xenwatch.web.renderer import Renderer  # noqa: PLC0415  `diagnose` seldom meets a snapshot, and starts often

    body = Renderer("text").render(snapshot.samples).decode("utf-8", "replace")
    return f"# xenwatch snapshot at {snapshot.at}\n{body}"


def is_snapshot(head: bytes) -> bool:
    """Whether a file that starts so is one."""
    return _HEAD.match(head[:80].decode("ascii", "replace")) is not None


def read_snapshot(text: str) -> Snapshot:
    """The snapshot; what no collector of this version declares is left out. ValueError where it is none."""
    head = _HEAD.match(text)
    if head is None:
        raise InvalidValue("is not a snapshot of xenwatch")
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  as above

    from xenwatch.sampling.catalogue import all_metrics  # noqa: PLC0415  as above

    metrics = all_metrics()
    samples = [
        restored
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if (metric := metrics.get(sample.name)) is not None
        and (restored := _sample(metric, sample.labels, sample.value)) is not None
    ]
    return Snapshot(float(head[1]), tuple(samples))


def _sample(metric: Metric, labels: dict[str, str], value: float) -> Sample | None:
    if metric.type == "histogram" or labels.keys() != set(metric.labels):
        return None
    return Sample(metric, tuple(labels[name] for name in metric.labels), value)
