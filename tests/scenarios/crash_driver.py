"""Kills the agent with SIGKILL at chosen points of a run, starts it again, and prints how each story ended.

Run as a program of its own, so that it can fork: `crash_driver.py FOLDER singles|pairs`.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import story as stories
from simulated_xen import World

from xenwatch.remediation.machine.port import Answer, Order
from xenwatch.remediation.store.run_store import RunStore
from xenwatch.remediation.store.transaction import Transaction


class Points:
    """Counts the places where the agent may die, and dies at one of them."""

    passed, die_at = 0, 0

    @classmethod
    def here(cls) -> None:
        cls.passed += 1
        if cls.passed == cls.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingRunStore(RunStore):
    """May die before a transaction, before its commit, and after it."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        Points.here()
        with super().transaction() as transaction:
            yield transaction
            Points.here()
        Points.here()


class LastingWorld(World):
    """What was started stays started: a file remembers it. May die before and after an effect."""

    folder = Path()

    async def effect(self, order: Order) -> Answer:
        Points.here()
        with (self.folder / "world").open("a") as file:
            file.write(order.description + "\n")
        answer = await super().effect(order)
        Points.here()
        return answer


def starts(folder: Path) -> int:
    return (folder / "world").read_text().count("create") if (folder / "world").exists() else 0


def life(folder: Path, die_at: int) -> int:
    """One life of the agent in a process of its own; the points it passed, 0 where it was killed."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        Points.passed, Points.die_at, LastingWorld.folder = 0, die_at, folder
        asyncio.run(_live(folder))
        os.write(into, str(Points.passed).encode())
        os._exit(0)
    os.close(into)
    os.waitpid(child, 0)
    with os.fdopen(out) as answer:
        return int(answer.read() or 0)


async def _live(folder: Path) -> None:
    hosts = {"xen1": {"web": "running"}} if starts(folder) else {}
    story = stories.Story(folder, {"hosts": hosts, "settings": {"limits.guest": {"cooldown": "1s"}}})
    await story.service.recover()
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"advance": 700}, {"tick": 1}])
    story.service.close()


async def _ends(folder: Path) -> list[str]:
    story = stories.Story(folder, {})
    found = [run.state for run in await story.service.runs()]
    found += story.service._store._store.verify()
    story.service.close()
    return found


def main() -> None:
    root, mode = Path(sys.argv[1]), sys.argv[2]
    real, stories.RunStore, stories.World = stories.RunStore, DyingRunStore, LastingWorld
    (root / "whole").mkdir()
    points = range(1, life(root / "whole", 0) + 1)
    found = []
    for kills in itertools.product(points, repeat=1 if mode == "singles" else 2):
        folder = root / "-".join(map(str, kills))
        folder.mkdir()
        for at in (*kills, 0):
            life(folder, at)
        found.append((kills, starts(folder), folder))
    stories.RunStore = real
    ended = [(kills, count, asyncio.run(_ends(folder))) for kills, count, folder in found]
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main()
