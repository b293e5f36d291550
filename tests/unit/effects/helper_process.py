"""The effects helper as a process of its own, whose one slow program a test may kill in the middle.

`python helper_process.py FOLDER LISTENING-FD`: the story's simulated host answers what is read; an order is a program
that says that it began, waits until it may go on, and says that it ended.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "scenarios"), str(Path(__file__).parent)]
from simulated_xen import World
from split_story import READER
from story import CATALOGUE, StoryClock

from xenwatch.effects.ledger import Ledger
from xenwatch.effects.service import EffectsService
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.privileged.server import LocalServer
from xenwatch.remediation.machine.port import Answer, Order
from xenwatch.remediation.open import read_policy

SLOW = "echo began >> {0}/effects; until [ -e {0}/go ]; do sleep 0.05; done; echo ended >> {0}/effects"


class SlowWorld(World):
    """The guest is absent, and its start is a real program."""

    def __init__(self, folder: Path) -> None:
        super().__init__(StoryClock())
        self.folder = folder

    async def effect(self, order: Order) -> Answer:
        ended = await SystemRunner().run(("sh", "-c", SLOW.format(self.folder)), 60.0)
        return Answer(ended.returncode)


async def main(folder: Path, listening: socket.socket) -> None:
    world = SlowWorld(folder)
    world.hosts["xen1"].domains = [d for d in world.hosts["xen1"].domains if d.name != "web"]
    ledger = Ledger(folder / "ledger.jsonl", world.clock, "boot-1")
    stored = StoredRuns(folder / "store.db", SystemRunner(), READER)
    service = EffectsService(
        lambda: read_policy(folder / "policy.toml"), tuple, stored, ledger, CATALOGUE, lambda _: world, world.clock
    )
    allowed = {int(word) for word in os.environ.get("ALLOWED", "").split()}
    await LocalServer(service.answer, allowed).serve(listening, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))))
