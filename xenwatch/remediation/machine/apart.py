"""The host with effects in a process of their own: reads happen here, orders are asked of it by their number."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from xenwatch.base.errors import HostError, InputError, Unavailable
from xenwatch.host.privileged.client import ask
from xenwatch.host.privileged.wire import REFUSED
from xenwatch.remediation.machine.port import Answer, Command, Machine, Order

SOCKET = Path("/run/xenwatch-effects/effects.sock")
"""Where systemd listens for it. The folder is root's: in the agent's own, a taken agent could answer people itself."""
_ANSWER_SECONDS = 30.0
_CHECK_SECONDS = 660.0
"""That process checks everything once more before an order, and some checks watch a guest for a minute."""


class EffectsGate(Protocol):
    """Who lets effects happen, beside the guards of the run store."""

    async def refusal(self) -> str | None:
        """Why no order can be carried out now; None where orders can be."""

    async def consent(self, run: str, plan_hash: str, who: str, token: str) -> None:
        """A person agreed to a plan; InputError where that is not believed."""

    async def switch(self, off: bool, who: str, token: str) -> None:
        """A person switches remediation off, or on again; InputError where that is not taken."""

    async def close_breaker(self, who: str, token: str) -> None:
        """A person looked at the failures, and lets runs start again; InputError where that is not believed."""


@dataclass(frozen=True, slots=True)
class EffectsSocket:
    """The way to that process."""

    path: Path = SOCKET

    async def refusal(self) -> str | None:
        try:
            answer = await ask(self.path, {"do": "ping"}, _ANSWER_SECONDS)
        except HostError as error:
            return f"the effects helper does not answer, so nothing is repaired: {error}"
        return f"the effects helper refuses: {answer[REFUSED]}" if REFUSED in answer else None

    async def consent(self, run: str, plan_hash: str, who: str, token: str) -> None:
        message = {"do": "consent", "run": run, "plan_hash": plan_hash, "who": _person(who), "token": token}
        await self._tell(message, "the consent, so it does not count")

    async def switch(self, off: bool, who: str, token: str) -> None:
        await self._tell({"do": "switch", "off": off, "who": _person(who), "token": token}, "the switch")

    async def close_breaker(self, who: str, token: str) -> None:
        await self._tell({"do": "close-breaker", "who": _person(who), "token": token}, "that the breaker is closed")

    async def _tell(self, message: Mapping[str, Any], what: str) -> None:
        """What a person decided. InputError where it is not taken."""
        try:
            answer = await ask(self.path, message, _ANSWER_SECONDS)
        except HostError as error:
            raise InputError(f"the effects helper did not take {what}: {error}") from error
        if REFUSED in answer:
            raise InputError(f"the effects helper refuses {what}: {answer[REFUSED]}")

    async def carry_out(self, order: Order) -> Answer:
        """An answer without a code where it was asked and nobody knows what it did."""
        message = {
            "do": "effect",
            "run": order.run,
            "order": order.number,
            "action": order.action,
            "expects": order.description,
            "lease": order.lease,
        }
        try:
            answer = await ask(self.path, message, order.deadline + _CHECK_SECONDS)
        except Unavailable as error:
            return Answer(1, "", f"nothing was done, the effects helper was not reached: {error}")
        except HostError as error:
            return Answer(None, "", f"the effects helper: {error}")
        return _answer(answer)

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        """Let a host know the token of the newest lease on a target."""
        try:
            message = {"do": "announce", "target": target, "lease": lease, "host": host}
            return _answer(await ask(self.path, message, 2 * _ANSWER_SECONDS))
        except HostError as error:
            return Answer(None, "", f"the effects helper: {error}")


def _person(actor: str) -> str:
    return actor.removeprefix("human:")


def _answer(told: dict[str, Any]) -> Answer:
    if REFUSED in told:
        return Answer(1, "", f"the effects helper refused: {told[REFUSED]}")
    code = told.get("code")
    return Answer(code if isinstance(code, int) else None, str(told.get("out", "")), str(told.get("err", "")))


class SplitMachine:
    """A Machine of two: `here` reads, and the process behind the socket acts."""

    def __init__(self, here: Machine, effects: EffectsSocket) -> None:
        self._here, self._effects = here, effects

    @property
    def libvirt_uri(self) -> str:
        return self._here.libvirt_uri

    async def read(self, command: Command) -> Answer:
        return await self._here.read(command)

    async def effect(self, order: Order) -> Answer:
        return await self._effects.carry_out(order)

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        return await self._effects.announce(target, lease, host)

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        return await self._here.connect(address, port, deadline)
