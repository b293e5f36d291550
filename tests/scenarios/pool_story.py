"""Remediation of a pool that a stand-in serves: what the stories of its guests and of its hosts begin with."""

from pathlib import Path
from typing import Any

from simulated_host import WEB, StoryClock
from simulated_xen import World
from story import CATALOGUE, table
from xapi.asking import access_to
from xapi.pools import StandInPool, guest

from xenwatch.demo.pool.methods import USERS
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.machine.pool import PoolMachine
from xenwatch.remediation.policy.loader import parse_policy
from xenwatch.remediation.registry import risks
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store.run_store import RunStore


def rule(name: str, diagnosis: str, selector: str, *actions: str, **more: Any) -> str:
    parts = [
        table("[[rule]]", {"name": name, "mode": "auto", "max_risk": "L3"} | more),
        table("[rule.when]", {"diagnosis": diagnosis}),
        table("[rule.scope]", {"selector": selector}),
        *[table("[[rule.ladder]]", {"action": action}) for action in actions],
    ]
    return "\n".join(parts)


class PoolStory:
    """Remediation with a pool beside a host of its own, on which there is a guest of the same name."""

    def __init__(self, pool: StandInPool, *rules: str, mode: str = "auto", user: str = "repairs") -> None:
        self.pool, self.clock = pool, StoryClock()
        self.world = World(self.clock)
        uuid = pool.database.record("VM", guest(pool, "web0"))["uuid"]
        said = [
            table("[remediation]", {"host": "xen1", "mode": mode}),
            table("[[guest]]", {"name": "web0", "uuid": WEB, "desired": "running", "tags": ["auto"]}),
            table("[[guest]]", {"name": "web0", "uuid": uuid, "pool": "prod", "desired": "running", "tags": ["auto"]}),
            *rules,
        ]
        self.policy = parse_policy("\n".join(said), Path("policy.toml"), risks(CATALOGUE))
        self.machine = PoolMachine(
            self.world, {"prod": access_to(pool, user=user, password=lambda: USERS[user][0])}, self.clock
        )
        self.service = self._open("boot-1")
        self.target = Subject("domain", "web0", uuid, host="prod")

    def _open(self, boot: str) -> RemediationService:
        store = RunStore(self.pool.folder / "store.db", self.clock, boot)
        return RemediationService(store, self.policy, CATALOGUE, self.machine, self.clock)

    async def incident(self, name: str, subject: Subject, *, ticks: int = 1) -> None:
        await self.take(name, subject)
        await self.tick(ticks)

    async def take(self, name: str, subject: Subject) -> None:
        diagnosis = Diagnosis(name, "", subject, "error", "t", "s", "c", self.clock.now())
        await self.service.take_incident(Incident(f"i-{name}", diagnosis, "open", 1_700_000_000.0, 1_700_000_000.0))

    async def tick(self, times: int = 1) -> None:
        for _ in range(times):
            await self.service.tick()
            await self.service.idle()
            self.clock.advance(10.0)

    async def approve(self, actor: str = "human:ann") -> None:
        run = next(one for one in await self.service.runs() if one.state == "awaiting_approval")
        await self.service.approve(run.id, actor, run.proposal.plan_hash)
        await self.tick()

    async def ends(self) -> list[tuple[str, str]]:
        return [(run.proposal.action, run.state) for run in await self.service.runs()]

    async def reasons(self) -> str:
        return "\n".join(entry.reason for entry in await self.service.entries())

    def asked(self, method: str) -> int:
        return sum(host.asked.count(method) for host in self.pool.hosts)

    def state(self, name: str = "web0") -> str:
        return str(self.pool.database.record("VM", guest(self.pool, name))["power_state"])


START_IT = rule("start", "vm-down", "tag:auto", "pool_vm_start")
