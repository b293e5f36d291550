"""Plays one story: a folder with a world, a script and the entries of the run store that must come of it."""

import json
from pathlib import Path
from typing import Any

import yaml
from simulated_host import DB, UUIDS, WEB, StoryClock
from simulated_xen import Died, World

from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.model.action import ActionRun, Alert
from xenwatch.model.coordination import Coordinator
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.policy.loader import parse_policy
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.registry import load_catalogue, risks
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store import outbox
from xenwatch.remediation.store.run_store import RunStore

CATALOGUE = load_catalogue()
HOSTS = ("xen1", "xen2")
STATES = {"running": "-b----", "paused": "--p---", "crashed": "----c-", "shut": "---s--", "dying": "-----d"}


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def table(header: str, content: dict[str, Any]) -> str:
    return header + "\n" + "".join(f"{key} = {toml(value)}\n" for key, value in content.items())


def policy_text(world: dict[str, Any]) -> str:
    """A whole policy from the few words of a world: web and db on xen1 and xen2, one rule."""
    rule = {"name": "r", "mode": "auto", "max_risk": "L3"} | world.get("rule", {})
    ladder = rule.pop("ladder", [{"action": "domain_start", "max": 2}])
    scope = rule.pop("scope", {"selector": "tag:auto"})
    when = rule.pop("when", {"diagnosis": "guest-down"})
    web = {
        "name": "web",
        "uuid": WEB,
        "config": "/etc/xen/web.cfg",
        "desired": "running",
        "tags": ["auto"],
        "address": "10.0.0.80",
    }
    db = {
        "name": "db",
        "uuid": DB,
        "config": "/etc/xen/db.cfg",
        "desired": "running",
        "tags": ["auto"],
        "address": "10.0.0.81",
    }
    fencing = world.get("fencing", "ipmi")
    parts = [
        table("[remediation]", {"host": "xen1", "mode": "auto", **world.get("remediation", {})}),
        *[table(f"[{name}]", content) for name, content in world.get("settings", {}).items()],
        *[table("[[host]]", _host(h, fencing, board=world.get("boards", False))) for h in HOSTS],
        table("[[guest]]", web | world.get("web", {})),
        table("[[guest]]", db | world.get("db", {})),
        table("[[rule]]", rule), table("[rule.when]", when), table("[rule.scope]", scope),
        *[table("[[rule.ladder]]", rung) for rung in ladder],
        *[_further(number, more) for number, more in enumerate(world.get("further_rules", []))],
    ]  # fmt: skip
    return "\n".join(parts)


def _host(name: str, fencing: str, *, board: bool) -> dict[str, Any]:
    host = {"name": name, "address": name, "machine_id": f"{name}-id", "fencing": fencing}
    return {**host, "power": ["fence_ipmilan", f"--ip=bmc-{name}"]} if board else host


def _further(number: int, rule: dict[str, Any]) -> str:
    """A second rule of one action, for web unless it says otherwise, in the few words of a world."""
    parts = [
        table("[[rule]]", {"name": f"r{number + 2}", "mode": "auto", "max_risk": "L3"}),
        table("[rule.when]", rule["when"]), table("[rule.scope]", {"selector": rule.get("selector", "tag:auto")}),
        table("[[rule.ladder]]", {"action": rule["action"]}),
    ]  # fmt: skip
    return "\n".join(parts)


def make_policy(world: dict[str, Any]) -> Policy:
    return parse_policy(policy_text(world), Path("policy.toml"), risks(CATALOGUE))


class Story:
    """The agent's remediation on a simulated host, and what happened to it."""

    def __init__(self, folder: Path, world: dict[str, Any], coordinator: Coordinator | None = None) -> None:
        self.said, self.folder, self.coordinator = world, folder, coordinator
        self.clock, self.boot = StoryClock(), "boot-1"
        self.world = World(self.clock)
        self.refusals: list[str] = []
        self.change(world.get("hosts", {}))
        self.service = self._open()

    def change(self, hosts: dict[str, Any]) -> None:
        """`xen1: {web: crashed, silent: true, services: {libvirtd: failed}}`, and what guests do when asked."""
        self.world.boots |= hosts.get("boots", {})
        self.world.faults |= hosts.get("faults", {})
        for name in ("xen1", "xen2"):
            for key, value in hosts.get(name, {}).items():
                self._set(name, key, value)

    def _set(self, name: str, key: str, value: Any) -> None:
        host = self.world.hosts[name]
        if hasattr(host, key):
            now = getattr(host, key)
            setattr(host, key, now | value if isinstance(now, dict) else value)
            return
        host.domains = [d for d in host.domains if d.name != key]
        if value != "absent":
            more = {} if isinstance(value, str) else {k: v for k, v in value.items() if k != "state"}
            state = value if isinstance(value, str) else value["state"]
            self.world.place(name, key, STATES[state], **more)

    def _open(self) -> RemediationService:
        store = RunStore(self.folder / "store.db", self.clock, self.boot)
        return RemediationService(
            store, make_policy(self.said), CATALOGUE, self.world, self.clock, coordinator=self.coordinator
        )

    async def play(self, script: list[dict[str, Any]]) -> None:
        for step in script:
            for word, value in step.items():
                try:
                    await getattr(self, f"do_{word}")(value)
                except XenwatchError as error:
                    self.refusals.append(f"{word}: {error}")

    async def do_incident(self, value: Any, state: str = "open") -> None:
        said = {"rule": value} if isinstance(value, str) else value
        subject = Subject("host", "dom0")
        if said.get("of", "web") in UUIDS:
            subject = Subject("domain", said.get("of", "web"), UUIDS[said.get("of", "web")])
        elif "/" in said["of"]:
            subject = Subject(*said["of"].split("/", 1))
        diagnosis = Diagnosis(said["rule"], said.get("class", ""), subject, "error", "t", "s", "c", self.clock.now())
        opened = said.get("opened", 1_700_000_000.0)
        cause = f"i-{said['explained_by']}-{said.get('cause_of', subject.key)}" if "explained_by" in said else None
        incident = Incident(
            f"i-{said['rule']}-{subject.key}", diagnosis, "explained" if cause else state, opened, opened,  # type: ignore[arg-type]
            explained_by=cause, acknowledged_by=said.get("acknowledged_by"),
        )  # fmt: skip
        await self.service.take_incident(incident)

    async def do_resolve(self, value: Any) -> None:
        await self.do_incident(value, "resolved")

    async def do_alert(self, value: dict[str, Any]) -> None:
        labels = {"alertname": "GuestDown", "domain": "web"} | value.get("labels", {})
        alert = Alert(value.get("fingerprint", "f1"), "2023-11-14T22:13:20Z", value.get("firing", True), labels)
        for _ in range(value.get("times", 1)):
            await self.service.take_alerts([alert])

    async def do_tick(self, times: int) -> None:
        for _ in range(times):
            try:
                await self.service.tick()
                await self.service.idle()
            except Died:
                await self.do_restart("boot-1")
            self.clock.advance(10.0)

    async def do_advance(self, seconds: float) -> None:
        self.clock.advance(float(seconds))

    async def do_step_wall(self, seconds: float) -> None:
        self.clock.set_wall(self.clock.now() + seconds)

    async def do_request(self, value: dict[str, Any]) -> None:
        subject = Subject("domain", value.get("of", "web"))
        if value.get("of") in ("host", "lv/vg0/data"):
            subject = Subject(value["of"].partition("/")[0], value["of"].partition("/")[2] or "xen1")
        await self.service.request(value["action"], subject, value.get("params", {}), value.get("by", "human:ann"))

    async def do_approve(self, actor: str) -> None:
        run = await self._waiting()
        await self.service.approve(run.id, actor, run.proposal.plan_hash)

    async def _waiting(self) -> ActionRun:
        waiting = [run for run in await self.service.runs() if run.state == "awaiting_approval"]
        if not waiting:
            raise InputError("nothing waits for a person")
        return waiting[-1]

    async def do_reject(self, actor: str) -> None:
        run = await self._waiting()
        await self.service.reject(run.id, actor, "no")

    async def do_world(self, hosts: dict[str, Any]) -> None:
        self.change(hosts)

    async def do_leave(self, ends: list[str]) -> None:
        self.world.leave("web", *ends)

    async def do_die(self, where: str) -> None:
        self.world.die = where

    async def do_restart(self, boot: str) -> None:
        """The agent is gone and starts again; on another boot when told so."""
        self.boot = boot
        self.service.close()
        self.service = self._open()
        await self.service.recover()

    async def do_policy(self, changes: dict[str, Any]) -> None:
        self.said = {**self.said, **changes}
        await self.do_restart(self.boot)

    async def do_off(self, reason: str) -> None:
        await self.service.turn(True, "human:ann", reason)

    async def do_on(self, reason: str) -> None:
        await self.service.turn(False, "human:ann", reason)

    async def do_maintenance(self, value: dict[str, Any]) -> None:
        given = {"owner": "ann", "reason": "disks", "seconds": 3600.0} | value.get("given", {})
        await self.service.maintain(value["scope"], **given)

    async def do_failing(self, value: dict[str, Any]) -> None:
        await self.service.note_failing(value["targets"], value["watched"])

    async def do_healthy(self, value: dict[str, Any]) -> None:
        for _ in range(value.get("times", 1)):
            await self.service.note_healths({f"domain/{WEB}": value["is"]})
            self.clock.advance(float(value.get("every", 60.0)))

    async def do_close_breaker(self, actor: str) -> None:
        await self.service.close_breaker(actor, "understood")

    async def do_settle(self, succeeded: bool) -> None:
        run = next(r for r in await self.service.runs() if r.state == "unknown")
        await self.service.settle_unknown(run.id, "human:ann", succeeded, "looked at it")

    async def outcome(self) -> dict[str, Any]:
        """What is compared with the story's expected file."""
        names = {run.id: f"{n}" for n, run in enumerate(await self.service.runs(), 1)}
        lines = []
        for entry in await self.service.entries():
            who = f"{names.get(entry.run or '', '-')}"
            if entry.kind == "move":
                reason = "" if entry.new in ("leased", "verifying", "proposed") else entry.reason
                lines.append(f"{who} {entry.new}" + (f": {reason}" if reason else ""))
            elif entry.kind in ("refused", "blocked", "storm", "breaker", "switch"):
                lines.append(f"{who} {entry.kind}: {entry.reason}")
        events = [event.kind for event, _ in await self.service._store.write(lambda t: outbox.due(t, 1000))]
        runs = [f"{names[r.id]} {r.proposal.action} {r.state}" for r in await self.service.runs()]
        found = {
            "runs": runs,
            "entries": lines,
            "effects": self.world.effects,
            "world": self.world.seen(),
            "events": events,
        }
        text = yaml.safe_dump(found | ({"refusals": self.refusals} if self.refusals else {}))
        for run, name in names.items():
            text = text.replace(run, f"RUN{name}")
        return dict(yaml.safe_load(text))
