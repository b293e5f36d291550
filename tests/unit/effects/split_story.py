"""A story in which the agent and the effects helper are two ends of a real socket, over one simulated host."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Self

from simulated_xen import World
from story import CATALOGUE, Story, make_policy, policy_text

from xenwatch.effects.ledger import Ledger
from xenwatch.effects.service import EffectsService
from xenwatch.effects.settings import Approver
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.privileged.server import LocalServer
from xenwatch.remediation.machine.apart import EffectsSocket, SplitMachine
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store.run_store import RunStore
from xenwatch.web.server.unix_socket import unix_socket

CODE = f"import sys; sys.path[:] = {sys.path!r}; from xenwatch.effects.stored_run import main; "
READER = (sys.executable, "-I", "-c", CODE + "sys.exit(main(sys.argv[1:]))")
ANN = Approver("ann", "the-secret-of-ann", "")


class SplitStory(Story):
    """`async with`: the helper serves until the end of it."""

    approvers: tuple[Approver, ...] = (ANN,)

    def _open(self) -> RemediationService:
        self.policy_file = self.folder / "policy.toml"
        self.policy_file.write_text(policy_text(self.said))
        self.socket = EffectsSocket(self.folder / "effects.sock")
        store = RunStore(self.folder / "store.db", self.clock, self.boot)
        machine = SplitMachine(self.world, self.socket)
        return RemediationService(store, make_policy(self.said), CATALOGUE, machine, self.clock, self.socket)

    def policy(self) -> Policy:
        return read_policy(self.policy_file)

    async def __aenter__(self) -> Self:
        await self.start_helper()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_helper()
        self.service.close()

    async def start_helper(self, world: World | None = None) -> None:
        self.ledger = Ledger(self.folder / "ledger.jsonl", self.clock, self.boot)
        stored = StoredRuns(self.folder / "store.db", SystemRunner(), READER)
        self.helper = EffectsService(
            self.policy, lambda: self.approvers, stored, self.ledger, CATALOGUE, lambda _: world or self.world,
            self.clock,
        )  # fmt: skip
        self._stop, listening = asyncio.Event(), unix_socket(self.socket.path)
        server = LocalServer(self.helper.answer, {os.geteuid()})
        self._serving = asyncio.create_task(server.serve(listening, self._stop))

    async def stop_helper(self) -> None:
        self._stop.set()
        await self._serving
        self.ledger.close()
        self.socket.path.unlink(missing_ok=True)


def spoken(path: Path) -> str:
    """The ledger as text."""
    return path.read_text() if path.exists() else ""
