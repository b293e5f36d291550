"""The machine together with its pools: what begins with `xapi:` goes to a pool's master, all else to this host."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.remediation.machine.port import Answer, Command, Machine, Order

if TYPE_CHECKING:  # an HTTP client is slow to load, and most hosts have no pool
    from xenwatch.host.xapi.access import XapiAccess
    from xenwatch.host.xapi.client import XapiClient

PREFIX = "xapi:"
"""`xapi:prod VM.start <uuid>`: an order, or a question, for the pool of [xapi.prod]."""
_REFUSED_SECONDS = 300.0
"""After a refused login nobody tries again for so long: some directories lock an account after a few attempts."""
Work = Callable[["XapiClient"], Awaitable[Answer]]


class PoolMachine:
    """A session is opened for each question and each order, and closed after it: none is ever left behind."""

    def __init__(self, here: Machine, pools: Mapping[str, "XapiAccess"], clock: Clock) -> None:
        """`pools`: those that may be acted on, by name, each with the account that is for that."""
        self._here, self._pools, self._clock = here, pools, clock
        self._shut: dict[str, float] = {}
        self._highest: dict[str, int] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        """Addresses of each pool's hosts: when the master is lost, another of them says who is master then."""

    @property
    def libvirt_uri(self) -> str:
        return self._here.libvirt_uri

    async def read(self, command: Command) -> Answer:
        word, *rest = command.argv
        if not word.startswith(PREFIX):
            return await self._here.read(command)
        return await self._with(word, lambda client: _told(client, rest))

    async def effect(self, order: Order) -> Answer:
        word, *rest = order.argv
        if not word.startswith(PREFIX):
            return await self._here.effect(order)
        if order.token < self._highest.get(order.target, 0):
            return Answer(1, "", f"token {order.token} for {order.target} is refused: it is lower than an earlier one")
        self._highest[order.target] = order.token

        async def work(client: "XapiClient") -> Answer:
            from xenwatch.remediation.machine.pool_calls import carry_out  # noqa: PLC0415

            return await carry_out(client, rest, order.deadline, self._clock)

        return await self._with(word, work)

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        return await self._here.announce(target, lease, host)

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        return await self._here.connect(address, port, deadline)

    async def _with(self, word: str, work: Work) -> Answer:
        from xenwatch.host.xapi.client import XapiClient, XapiLoginRefused  # noqa: PLC0415

        name = word.removeprefix(PREFIX)
        access = self._pools.get(name)
        if access is None:
            return Answer(1, "", f"nothing may be done to the pool {name}: [xapi.{name}] has no repair_user")
        if self._clock.monotonic() < self._shut.get(name, 0.0):
            return Answer(1, "", f"pool {name}: repair_user was refused a moment ago, so nobody tries again yet")
        client = XapiClient(replace(access, addresses=(*access.addresses, *self._known.get(name, ()))))
        try:
            return await work(client)
        except XapiLoginRefused as error:
            self._shut[name] = self._clock.monotonic() + _REFUSED_SECONDS
            return Answer(1, "", str(error))
        finally:
            self._known[name] = client.others or self._known.get(name, ())
            await client.close()


async def _told(client: "XapiClient", words: list[str]) -> Answer:
    """One question's answer, as JSON."""
    from xenwatch.remediation.machine.pool_questions import QUESTIONS  # noqa: PLC0415

    question, about = words
    try:
        return Answer(0, json.dumps(await QUESTIONS[question](client, about)))
    except HostError as error:
        from xenwatch.host.xapi.client import XapiLoginRefused  # noqa: PLC0415

        if isinstance(error, XapiLoginRefused):
            raise
        return Answer(None, "", str(error))
