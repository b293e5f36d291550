"""Consoles of guests as xenconsoled logs them: how much each wrote, and when it last wrote."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

BYTES = Metric(
    "xen_domain_console_bytes_total",
    "counter",
    "Bytes in the log of a guest's console; it falls with a rotation",
    ("domain",),
)
LAST = Metric(
    "xen_domain_console_last_output_timestamp_seconds", "gauge", "When a guest last wrote to its console", ("domain",)
)
_LOG = re.compile(r"guest-(.+)\.log")
"""xen: tools/console/daemon/io.c; written only where xenconsoled is started with --log=guest or all."""


async def _collect(host: Host) -> Sequence[Sample]:
    folder = host.paths.log / "xen/console"
    if not folder.is_dir():
        raise Unsupported("console: xenconsoled keeps no logs here")
    inventory = await host.domains.known(max_age=15.0)
    alive = {domain.name for domain in inventory.by_domid.values()}
    return await host.aside.run(lambda: [sample for sample in _logs(folder) if sample.labels[0] in alive])


def _logs(folder: Path) -> Iterator[Sample]:
    """The log of a guest that is gone says nothing about a living one, and is left out by the caller."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if (match := _LOG.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    yield Sample(BYTES, (match[1],), float(stat.st_size))
                    yield Sample(LAST, (match[1],), stat.st_mtime)
    except OSError:
        return  # the folder went away meanwhile


COLLECTOR = Collector(name="console", metrics=(BYTES, LAST), begin=lambda: _collect, interval=15.0, deadline=10.0)
