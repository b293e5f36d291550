"""Kills or stops the agent of xen1 at chosen points of a start, lets xen2 act in its place, and goes on with xen1.

Run as a program of its own, so that it can fork: `fleet_crash_driver.py FOLDER ENDPOINTS PIDS SCHEDULES`.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import crash_driver
import story as stories
from crash_driver import DyingRunStore, LastingWorld, Points
from simulated_host import WEB

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.claims import SLOTS
from xenwatch.fleet.coordinator import FleetCoordinator
from xenwatch.fleet.etcd import EtcdAccess, EtcdClient
from xenwatch.model.coordination import Claim, Denied, Grant
from xenwatch.remediation.housekeeping import tell_fleet
from xenwatch.remediation.machine.fence import accept
from xenwatch.remediation.machine.port import Answer, Command, Order

TARGET = f"domain/{WEB}"
LEASE_SECONDS = 2
SIGNALS = (signal.SIGKILL, signal.SIGSTOP)
LIFE = [{"incident": "guest-down"}, {"tick": 1}, {"advance": 700}, {"tick": 2}]


class Dying(EtcdClient):
    """May die or hang before and after each question to etcd."""

    async def call(self, path: str, body: Any) -> dict[str, Any]:
        Points.here()
        answer = await super().call(path, body)
        Points.here()
        return answer


class TwoHosts(LastingWorld):
    """xen1's and xen2's files of tokens are real, and what xen2 started is seen by xen1."""

    async def read(self, command: Command) -> Answer:
        for host in ("xen1", "xen2"):
            if started_on(self.folder, host) and not any(d.name == "web" for d in self.hosts[host].domains):
                self.place(host, "web", "-b----")
        return await super().read(command)

    async def effect(self, order: Order) -> Answer:
        Points.here()
        if order.lease and not accept(self.folder / "xen1.json", order.target, order.lease):
            return Answer(1, "", "a newer token was here")
        with (self.folder / "world").open("a") as file:
            file.write(f"xen1 {order.lease}\n")
        answer = await super(LastingWorld, self).effect(order)
        Points.here()
        return answer

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        Points.here()
        taken = accept(self.folder / f"{host or 'xen1'}.json", target, lease)
        return Answer(0) if taken else Answer(1, "", "a newer token was here")


def started_on(folder: Path, host: str) -> int:
    return (folder / "world").read_text().split().count(host) if (folder / "world").exists() else 0


class Schedule:
    """One folder, one point, one way to go wrong."""

    def __init__(self, folder: Path, endpoints: tuple[str, ...], way: signal.Signals) -> None:
        self.folder, self.endpoints, self.way = folder, endpoints, way

    def life(self, at: int) -> int:
        """xen1's agent in a process of its own, until it ends, dies or hangs; the pid."""
        child = os.fork()
        if child == 0:
            Points.passed, Points.die_at, Points.way, TwoHosts.folder = 0, at, self.way, self.folder
            LastingWorld.folder = self.folder
            passed = asyncio.run(self._live())
            (self.folder / "passed").write_text(str(passed))
            os._exit(0)
        return child

    async def _live(self) -> int:
        access = EtcdAccess(self.endpoints)
        fleet = FleetCoordinator("xen1", lambda: Dying(access), SystemClock(), lease_seconds=LEASE_SECONDS)
        web = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}
        world = {"hosts": {}, "web": web, "settings": {"limits.guest": {"cooldown": "1s"}}}
        story = stories.Story(self.folder, world, fleet)
        await story.service.recover()
        await story.play(LIFE)
        story.service.close()
        await fleet.close()
        return Points.passed

    async def xen2(self) -> None:
        """The neighbour's agent: under its own lease it announces its token, looks, and starts what is not there."""
        access = EtcdAccess(self.endpoints)
        fleet = FleetCoordinator("xen2", lambda: EtcdClient(access), SystemClock(), lease_seconds=LEASE_SECONDS)
        claim = Claim("of-xen2", "xen2", TARGET, "domain_start", needs_lease=True, is_approved=True, most_at_once=9)
        grant: Grant | Denied = Denied("", "")
        while not isinstance(grant, Grant):
            grant = await fleet.take(claim)
            await asyncio.sleep(0.1)
        taken = all(accept(self.folder / f"{host}.json", TARGET, grant.token) for host in ("xen1", "xen2"))
        if taken and not started_on(self.folder, "xen1") and await fleet.holds(grant):
            with (self.folder / "world").open("a") as file:
                file.write(f"xen2 {grant.token}\n")
        await fleet.release(grant)
        await fleet.settle(_nothing, ())
        await fleet.close()

    def run(self, at: int) -> None:
        asyncio.run(_hub_and_agents(self.endpoints))
        child = self.life(at)
        _, status = os.waitpid(child, os.WUNTRACED)
        asyncio.run(self.xen2())
        if os.WIFSTOPPED(status):
            os.kill(child, signal.SIGCONT)
            os.waitpid(child, 0)
        os.waitpid(self.life(0), 0)

    async def ends(self) -> dict[str, Any]:
        access = EtcdAccess(self.endpoints)
        fleet = FleetCoordinator("xen1", lambda: EtcdClient(access), SystemClock())
        story = stories.Story(self.folder, {}, fleet)
        states = {run.id: run.state for run in await story.service.runs()}
        await tell_fleet(fleet, story.service._store, SystemClock())
        story.service.close()
        await fleet.close()
        client = EtcdClient(EtcdAccess(self.endpoints))
        slots = [json.loads(kv.value)["run"] for kv in (await client.list_below(SLOTS)).keys]
        await client.call("kv/deleterange", {"key": "AA==", "range_end": "AA=="})
        await client.close()
        starts = {host: started_on(self.folder, host) for host in ("xen1", "xen2")}
        return {"states": states, "starts": starts, "slots": slots}


async def _nothing() -> frozenset[str]:
    return frozenset()


async def _hub_and_agents(endpoints: tuple[str, ...]) -> None:
    client = EtcdClient(EtcdAccess(endpoints))
    for key in ("/xenwatch/fleet/leader", "/xenwatch/hosts/xen1/self", "/xenwatch/hosts/xen2/self"):
        await client.put(key, "here")
    await client.close()


def dies() -> None:
    """In the place of `Points.here`: the chosen way, at the chosen point."""
    Points.passed += 1
    if Points.passed == Points.die_at:
        os.kill(os.getpid(), Points.way)  # type: ignore[attr-defined]


def main() -> None:
    root, endpoints = Path(sys.argv[1]), tuple(sys.argv[2].split(","))
    members = [int(pid) for pid in sys.argv[3].split(",")]
    most = int(sys.argv[4])
    real = stories.RunStore
    stories.RunStore, stories.World, Points.here = DyingRunStore, TwoHosts, staticmethod(dies)  # type: ignore[misc, method-assign]
    (root / "whole").mkdir()
    asyncio.run(_hub_and_agents(endpoints))
    whole = Schedule(root / "whole", endpoints, signal.SIGKILL)
    os.waitpid(whole.life(0), 0)
    asyncio.run(whole.ends())
    passed = int((root / "whole" / "passed").read_text())
    points = range(2, passed, max(1, 2 * passed // most))
    found = []
    for number, (at, way) in enumerate([(at, way) for at in points for way in SIGNALS][:most]):
        schedule = Schedule(root / f"{at}-{way.name}", endpoints, way)
        schedule.folder.mkdir()
        cut_off = members[number % len(members)] if number % 8 == 7 else 0
        if cut_off:
            os.kill(cut_off, signal.SIGSTOP)
        try:
            schedule.run(at)
        finally:
            if cut_off:
                os.kill(cut_off, signal.SIGCONT)
        stories.RunStore = real
        found.append({"at": at, "way": way.name, "cut": bool(cut_off)} | asyncio.run(schedule.ends()))
        stories.RunStore = DyingRunStore
    sys.stdout.write(json.dumps({"points": passed, "schedules": found}))


if __name__ == "__main__":
    assert crash_driver.Points is Points
    main()
