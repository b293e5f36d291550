"""A taken agent: it writes into its own run store whatever it likes, and asks the effects helper for it."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulated_host import WEB
from split_story import SplitStory
from story import CATALOGUE

from xenwatch.host.privileged.client import ask
from xenwatch.model.action import Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Plan, Step, plan_hash
from xenwatch.remediation.machine.port import Order
from xenwatch.remediation.store import entries, runs
from xenwatch.remediation.store.run_store import RunStore

START = ("xl", "create", "/etc/xen/web.cfg")
WEB_GUEST = Subject("domain", "web", WEB)


class TakenAgent:
    """Nothing in its store holds it back: it has dropped every trigger of the database."""

    def __init__(self, story: SplitStory) -> None:
        self.story = story
        self.store = RunStore(story.folder / "store.db", story.clock, story.boot)
        with self.store.transaction() as transaction:
            for (name,) in transaction.rows("SELECT name FROM sqlite_master WHERE type='trigger'"):
                transaction.db.execute(f"DROP TRIGGER {name}")
        self._count = 0

    def forge(self, action: str = "domain_start", argv: tuple[str, ...] = START, **more: Any) -> str:
        """A run that acts just now, as if everything had been in order; its id."""
        self._count += 1
        target = more.pop("target", WEB_GUEST)
        params: Mapping[str, str] = more.pop("params", {})
        known = CATALOGUE.get(action, CATALOGUE["domain_start"])
        plan = Plan((Step(Order(argv)),))
        words = f"{action}|{target.key}|{sorted(params.items())}|{plan.description}"
        proposal = Proposal(
            action=action, target=target, params=params, rule="r", mode="auto", risk=known.risk,
            trigger=Trigger("incident", "guest-down", target, str(self._count), "now"), host="xen1",
            dedupe_key=f"{words}{self._count}", policy_hash=self.story.service.policy.hash,
            plan_hash=plan_hash(replace(known, name=action), target, params, plan), plan=plan.description,
            needs_approval=False, expires=1e12,
        )  # fmt: skip
        return self._write(replace(proposal, **more), plan.description[0])

    def _write(self, proposal: Proposal, words: str) -> str:
        with self.store.transaction() as transaction:
            run = runs.add(transaction, proposal)
            assert run is not None
            token = 1000 + self._count
            transaction.db.execute("UPDATE run SET state='executing', token=? WHERE id=?", (token, run))
            entries.append(transaction, "intent", run, "xenwatch", words, {})
        return run

    def sql(self, text: str, *values: object) -> None:
        with self.store.transaction() as transaction:
            transaction.db.execute(text, values)

    async def ask(self, run: str, action: str = "domain_start", order: int = 0, argv: tuple[str, ...] = START) -> str:
        """What the helper says, as text."""
        message = {"do": "effect", "run": run, "order": order, "action": action, "expects": " ".join(argv)}
        return await self.say(message)

    async def say(self, message: Mapping[str, Any]) -> str:
        answer = await ask(self.story.socket.path, message, 60.0)
        return str(answer.get("refused", json.dumps(answer)))

    async def forged(self, action: str = "domain_start", argv: tuple[str, ...] = START, **more: Any) -> str:
        """Forge a run and ask for it."""
        return await self.ask(self.forge(action, argv, **more), action, argv=argv)


def old_id(seconds: float, now: float) -> str:
    """The id of a run that was made so long ago."""
    return f"{int((now - seconds) * 1000):012x}-00000000"


def until(holds: Any, seconds: float = 30.0) -> None:
    """Wait in a thread of its own for what another process does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
