"""`xenwatch sample`: the metrics of this host once, on standard output or as a textfile of node_exporter."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from xenwatch.base.atomic_file import write_atomically
from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError, Unavailable
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG
from xenwatch.config.assembly import collectors_of, ways_to
from xenwatch.config.loader import load_config
from xenwatch.config.sections import Config
from xenwatch.host.host import open_host
from xenwatch.sampling.collector import Collector
from xenwatch.sampling.sampler import Sampler
from xenwatch.web.renderer import Renderer

_SUFFIX = ".prom"
_OF_EACH_PROGRAM = ("process_", "python_")
"""Families that node_exporter has about itself; it refuses a scrape that holds a series twice."""


@click.command(short_help="Print the metrics of this host once, or keep them in a textfile for node_exporter.")
@CONFIG
@click.option("--textfile", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file in one step.")
@click.option("--every", type=click.FloatRange(1.0), metavar="SECONDS", help="Go on, and sample so often.")
@click.option("--collector", "names", multiple=True, metavar="NAME", help="Run only this one. May be repeated.")
@click.option("--alone", is_flag=True, help="Sample the host itself, even if an agent runs.")
def COMMAND(  # noqa: N802 - the registry's name
    config: Path | None, textfile: Path | None, every: float | None, names: Sequence[str], alone: bool
) -> None:
    """Print the metrics of this host in the text format of Prometheus.

    If the agent runs, they are the agent's, with the incidents. Otherwise, and with --alone or --collector, the host
    itself is sampled. --textfile is for the textfile collector of node_exporter, so that no second port is needed; the
    file is replaced in one step, and nobody reads half of it.

    \b
    Examples:
      xenwatch sample
      xenwatch sample --collector vif --collector vbd
      xenwatch sample --textfile /var/lib/prometheus/node-exporter/xenwatch.prom --every 30
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if textfile is not None and textfile.suffix != _SUFFIX:
        raise InputError(f"{textfile}: node_exporter reads only files with a name that ends in {_SUFFIX}")
    if every is not None and textfile is None:
        raise InputError("--every is for --textfile")
    settings = load_config(config, dict(os.environ)).config
    running = None if alone or names else Running(None, config)
    chosen = _chosen(settings, names)
    while True:
        _deliver(_metrics(running, settings, chosen), textfile)
        if every is None:
            return
        time.sleep(every)


def _chosen(settings: Config, names: Sequence[str]) -> list[Collector]:
    collectors = collectors_of(settings.sampling)
    if unknown := set(names) - {collector.name for collector in collectors}:
        known = ", ".join(collector.name for collector in collectors)
        raise InputError(f"no collector of this name is on: {', '.join(sorted(unknown))}; there are {known}")
    return [collector for collector in collectors if not names or collector.name in names]


def _metrics(running: Running | None, settings: Config, collectors: Sequence[Collector]) -> bytes:
    if running is not None:
        try:
            return running.text("/metrics").encode("utf-8", "replace")
        except Unavailable:
            pass  # no agent runs
    return asyncio.run(_sampled(settings, collectors))


async def _sampled(settings: Config, collectors: Sequence[Collector]) -> bytes:
    clock = SystemClock()
    host = open_host(clock, **ways_to(settings.sampling))
    try:
        snapshot = await Sampler(collectors, host, clock).take_once()
    finally:
        await host.close()
    return Renderer().render(snapshot.samples)


def _deliver(metrics: bytes, textfile: Path | None) -> None:
    if textfile is None:
        click.echo(metrics, nl=False)
        return
    try:
        write_atomically(textfile, without_programs(metrics), mode=0o644)
    except OSError as error:
        raise InputError(f"{textfile}: cannot be written: {error.strerror or error}") from None


def without_programs(metrics: bytes) -> bytes:
    """Without what each program says about its own process."""
    names = tuple(name.encode() for name in _OF_EACH_PROGRAM)
    heads = tuple(head + name for head in (b"# HELP ", b"# TYPE ") for name in names)
    return b"".join(line for line in metrics.splitlines(keepends=True) if not line.startswith((*names, *heads)))
