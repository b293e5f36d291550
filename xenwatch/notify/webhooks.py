"""Sends remediation's events to other systems: signed, retried with growing pauses, each at least once."""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.model.action import RemediationEvent

log = logging.getLogger(__name__)

_DEADLINE = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3600.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events go. `local` allows addresses of this host and its links, which are refused otherwise."""

    url: str
    key: bytes
    local: bool = False


class EventSource(Protocol):
    """Keeps events until they are delivered."""

    async def due_events(self) -> list[tuple[RemediationEvent, int]]: ...

    async def event_delivered(self, event: str) -> None: ...

    async def event_put_off(self, event: str, pause: float) -> None: ...


class Webhooks:
    """Delivers to every destination, each by itself: one that never answers does not keep the others waiting."""

    def __init__(self, source: EventSource, destinations: Sequence[Destination], clock: Clock) -> None:
        for destination in destinations:
            if urlsplit(destination.url).scheme not in ("http", "https"):
                raise InputError(f"{destination.url}: events can be sent only to http and https URLs")
        self._source, self._clock = source, clock
        self._outlets = [_Outlet(destination, clock) for destination in destinations]

    async def serve(self, every: float = 2.0) -> None:
        """Deliver what is due, over and over, until cancelled."""
        while True:
            await self.deliver_due()
            await self._clock.sleep(every)

    async def deliver_due(self) -> None:
        """Deliver every event that is due, once, to each destination that has not accepted it yet."""
        due = await self._source.due_events()
        await asyncio.gather(*(outlet.deliver([event for event, _ in due]) for outlet in self._outlets))
        for event, attempts in due:
            if all(event.id in outlet.accepted for outlet in self._outlets):
                await self._source.event_delivered(event.id)
                for outlet in self._outlets:
                    outlet.accepted.discard(event.id)
            else:
                await self._source.event_put_off(event.id, _pause(attempts))


def _pause(attempts: int) -> float:
    return float(min(_FIRST_PAUSE * 2 ** min(attempts, 20), _LONGEST_PAUSE))


class _Outlet:
    """One destination."""

    def __init__(self, destination: Destination, clock: Clock) -> None:
        self._destination, self._clock = destination, clock
        self.accepted: set[str] = set()
        """Ids of events that it has and another one has not. After a restart such an event comes again, with its id."""
        self._silences, self._silent_until = 0, 0.0

    async def deliver(self, events: Sequence[RemediationEvent]) -> None:
        """Send the events in order; after one without an answer the others wait, longer after each time."""
        if self._clock.monotonic() < self._silent_until:
            return
        for event in events:
            if event.id in self.accepted:
                continue
            accepted = await self._send(self._destination, event)
            if accepted is None:
                self._silent_until = self._clock.monotonic() + _pause(self._silences)
                self._silences += 1
                return
            self._silences = 0
            if accepted:
                self.accepted.add(event.id)

    async def _send(self, destination: Destination, event: RemediationEvent) -> bool | None:
        """Whether it was accepted; None where there was no answer."""
        body = json.dumps(asdict(event), sort_keys=True).encode()
        stamp = str(int(self._clock.now()))
        headers = {
            "Content-Type": "application/json",
            "X-Xenwatch-Event": event.id,
            "X-Xenwatch-Timestamp": stamp,
            "X-Xenwatch-Signature": "sha256=" + sign(destination.key, stamp, body),
        }
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=_Resolver(local=destination.local)),
                    timeout=aiohttp.ClientTimeout(total=_DEADLINE),
                ) as session,
                session.post(_allowed_url(destination), data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return 200 <= answer.status < 300  # noqa: PLR2004 - any 2xx
        except (aiohttp.ClientError, OSError, TimeoutError, InputError) as error:
            log.warning(
                "event %s could not be delivered to %s and is sent again later: %s",
                event.id,
                urlsplit(destination.url).hostname,
                error,
            )
            return None


def sign(key: bytes, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp:body`."""
    return hmac.new(key, stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def _allowed_url(destination: Destination) -> str:
    """The URL; an address written as digits is never resolved, so it is checked here."""
    try:
        address = ipaddress.ip_address(urlsplit(destination.url).hostname or "")
    except ValueError:
        return destination.url
    _refuse_local(str(address), local=destination.local)
    return destination.url


def _refuse_local(address: str, *, local: bool) -> None:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if not local and (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified or parsed.is_multicast):
        raise InputError(f"{address} is an address of this host or its link; allow it with local = true")


class _Resolver(AbstractResolver):
    """Checks the address of a name at the moment of connecting, so that it cannot change in between."""

    def __init__(self, *, local: bool) -> None:
        self._real, self._local = ThreadedResolver(), local

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        results = await self._real.resolve(host, port, family)  # type: ignore[arg-type]
        for result in results:
            _refuse_local(result["host"], local=self._local)
        return results

    async def close(self) -> None:
        await self._real.close()
