"""A host made of a few made-up files and command outputs, for one collector at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from hosts.recorded import RecordedRunner, plant

from xenwatch.base.clock import ManualClock
from xenwatch.host.host import Host, build_host
from xenwatch.host.inventory import Domain, DomainInventory
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import all_collectors

Values = dict[tuple[str, ...], float]


class Bench:
    """A host of files and commands, and what a collector makes of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.commands = root / "root", root / "commands"
        self.root.mkdir()
        self.commands.mkdir()
        self.clock = ManualClock()
        self.runner = RecordedRunner(self.commands)
        self.host: Host = build_host(self.clock, Paths(self.root), self.runner, toolstack=None, libvirt_uri=None)

    def files(self, tree: str) -> None:
        plant(self.root, tree)

    def command(self, words: str, output: str) -> None:
        (self.commands / f"{words.replace(' ', '_')}.txt").write_text(output)

    def domains(self, **domids: int) -> None:
        """Guests by name that stand in the inventory for good."""
        known = tuple(Domain(name, None, domid, "running") for name, domid in domids.items())
        by_domid = {domain.domid: domain for domain in known if domain.domid is not None}
        self.host.domains.last = DomainInventory(
            self.clock.now(), known, version=1, by_domid=by_domid, domids=frozenset(by_domid), names=frozenset(domids)
        )

    def begin(self, collector: str) -> Callable[[], Awaitable[Mapping[str, Values]]]:
        """A fresh reading function; calling it gives values by metric's name and labels."""
        collect = all_collectors()[collector].begin()

        async def read() -> Mapping[str, Values]:
            found: dict[str, Values] = {}
            for metric, labels, value in await collect(self.host):
                found.setdefault(metric.name, {})[labels] = value
            return found

        return read


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.host.close()
