"""Xen hosts in memory that answer argv by argv as the real tools do, on simulated time."""

import asyncio
from typing import Any

from simulated_host import Hosts, SimHost, StoryClock
from simulated_orders import act
from simulated_reads import READS

from xenwatch.remediation.machine.port import Answer, Command, Order


class Died(BaseException):
    """The agent is killed here."""


class World(Hosts):
    """The Machine that remediation is given: those hosts through their tools. Every effect is kept in `effects`."""

    libvirt_uri = "xen:///system"

    def __init__(self, clock: StoryClock) -> None:
        super().__init__(clock)
        self.effects: list[str] = []
        self.faults: dict[str, dict[str, Any]] = {}
        self.die: str | None = None
        self.answers = dict(READS)

    async def read(self, command: Command) -> Answer:
        host = self._host(command.host)
        if host.silent and (host.name != "xen1" or command.argv[0] in ("xl", "xm")):
            return Answer(None, "", "Connection timed out")
        program, *rest = command.argv
        if program not in self.answers:
            return Answer(127, "", "not found")
        answer = self.answers[program](self, host, rest)
        return Answer(0, answer) if isinstance(answer, str) else answer

    async def effect(self, order: Order) -> Answer:
        words = " ".join(order.argv)
        if self.die == "before-effect":
            self.die = None
            raise Died
        self.effects.append(order.description)
        answer = self._faulted(order, words)
        if self.die == "after-effect":
            self.die = None
            raise Died
        await asyncio.sleep(0)
        return answer

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        there = self._host(host)
        return Answer(None, "", "Connection timed out") if there.silent else Answer(0)

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        return self.alive(address)

    def _host(self, name: str) -> SimHost:
        return self.hosts[name or "xen1"]

    def _faulted(self, order: Order, words: str) -> Answer:
        """`fails`: refused without effect; `lies`: says done and does nothing; `silent`: done, but no answer."""
        key = next((key for key in self.faults if words.startswith(key)), None)
        fault = self.faults.get(key, {}) if key is not None else {}
        how = fault.get("how")
        if key is not None and fault.get("once"):
            del self.faults[key]
        if how == "fails":
            return Answer(1, "", fault.get("err", "failed"))
        if how == "lies":
            return Answer(0)
        if how == "lost":
            return Answer(None, "", "timed out")
        answer = act(self, self._host(order.host), order)
        return Answer(None, "", "timed out") if how == "silent" else answer
