"""A session with a pool: logs in, follows the master, logs in again when the session is gone, and logs out."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Any

from xenwatch.base.errors import HostError, TimedOut, Unavailable, XenwatchError
from xenwatch.host.xapi.access import XapiAccess, at_host
from xenwatch.host.xapi.rpc import SESSION_INVALID, XapiError, XapiRpc

log = logging.getLogger(__name__)

API_VERSION, ORIGINATOR = "1.0", "xenwatch"
LOGOUT_SECONDS = 3.0
_MOST_TURNS = 6
"""Logins and redirections in one call; more would be a pool that sends us in circles."""
_MOST_LEFT_OPEN = 8
_IS_SLAVE, _REFUSED = "HOST_IS_SLAVE", "SESSION_AUTHENTICATION_FAILED"


class XapiLoginRefused(XapiError):
    """User or password are wrong: asking again soon would only lock the account."""


class XapiClient:
    """Asks the pool's master, whoever that is. Calls are for one task at a time; downloads may run side by side."""

    def __init__(self, access: XapiAccess) -> None:
        """Inside of the event loop that uses it."""
        self.access, self._rpc = access, XapiRpc(access)
        self.address = access.addresses[0]
        """Of the master, as far as that is known."""
        self.logins = 0
        """How often a session was opened: with each, everything may have changed."""
        self.others: tuple[str, ...] = ()
        """Addresses of the pool's hosts, as far as somebody learnt them."""
        self._session = ""
        self._left_open: tuple[str, ...] = ()
        self._login = asyncio.Lock()

    async def close(self) -> None:
        """Log out, as far as the master answers soon."""
        session, self._session = self._session, ""
        if session:
            with contextlib.suppress(HostError):
                await self._rpc.call(self.address, "session.logout", [session], LOGOUT_SECONDS)
        await self._rpc.close()

    def learn_hosts(self, hosts: Iterable[str]) -> None:
        """Addresses of the pool's hosts, any of which may tell who is master after the master is lost."""
        self.others = tuple(at_host(self.access.addresses[0], host) for host in hosts)

    def address_of(self, host: str) -> str:
        """Where a host of the pool is asked."""
        return at_host(self.access.addresses[0], host)

    async def call(self, method: str, *params: object, seconds: float | None = None) -> Any:
        """The master's answer to a call with the session as its first parameter.

        Raises XapiError for what xapi refuses, Unavailable or TimedOut where no host of the pool answers.
        """
        for _ in range(_MOST_TURNS):
            session = await self._current()
            try:
                return await self._rpc.call(self.address, method, [session, *params], seconds)
            except XapiError as error:
                if error.code == _IS_SLAVE and error.params:
                    self._give_up(session)
                    self._go_to(error.params[0])
                elif error.code == SESSION_INVALID:
                    self._forget(session)
                else:
                    raise
            except (Unavailable, TimedOut):
                self._give_up(session)
                raise
        raise Unavailable(f"pool {self.access.name}: no host is the master that the others name")

    async def download(self, address: str, path: str, seconds: float | None = None) -> bytes:
        """From one host of the pool, under the session of the master."""
        session = await self._current()
        try:
            return await self._rpc.download(address, path, session, seconds)
        except XapiError:
            self._forget(session)
            raise

    async def _current(self) -> str:
        async with self._login:
            if not self._session:
                self._session = await self._log_in()
                self.logins += 1
                await self._close_left_open()
            return self._session

    def _forget(self, session: str) -> None:
        if self._session == session:
            self._session = ""

    def _give_up(self, session: str) -> None:
        """It may still be open at a host that does not answer now: it is closed once one does."""
        self._forget(session)
        self._left_open = (*self._left_open, session)[-_MOST_LEFT_OPEN:]

    async def _close_left_open(self) -> None:
        sessions, self._left_open = self._left_open, ()
        for session in sessions:
            with contextlib.suppress(HostError):
                await self._rpc.call(self.address, "session.logout", [session], LOGOUT_SECONDS)

    def _go_to(self, host: str) -> None:
        master = at_host(self.access.addresses[0], host)
        log.info("pool %s: %s is no longer asked, %s is the master", self.access.name, self.address, master)
        self.address = master

    async def _log_in(self) -> str:
        """At the master; where it does not answer, any other host says who is master now."""
        waiting, asked, last = [self.address, *self.access.addresses, *self.others], set[str](), "no address"
        while waiting and len(asked) < len(self.others) + _MOST_TURNS:
            address = waiting.pop(0)
            if address in asked:
                continue
            asked.add(address)
            try:
                return await self._log_in_at(address)
            except XapiError as error:
                if error.code == _REFUSED:
                    raise XapiLoginRefused(address, "session.login_with_password", error.code) from None
                if error.code == _IS_SLAVE and error.params:
                    waiting.insert(0, at_host(self.access.addresses[0], error.params[0]))
                last = str(error)
            except (Unavailable, TimedOut) as error:
                last = str(error)
        raise Unavailable(f"pool {self.access.name}: no host lets xenwatch in; the last said: {last}")

    async def _log_in_at(self, address: str) -> str:
        try:
            params = [self.access.user, self.access.password(), API_VERSION, ORIGINATOR]
        except XenwatchError as error:
            raise Unavailable(f"pool {self.access.name}: {error}") from None
        session = str(await self._rpc.call(address, "session.login_with_password", params))
        self.address = address
        return session
