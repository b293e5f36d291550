"""What an order may do to a pool: a fixed table of xapi's own operations, each on objects that their uuids name."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.host.xapi.client import XapiClient, XapiLoginRefused
from xenwatch.host.xapi.rpc import XapiError
from xenwatch.remediation.machine.port import Answer

_LOOK_SECONDS = 1.0
_GONE = "HANDLE_INVALID"


@dataclass(frozen=True, slots=True)
class PoolCall:
    """One operation: the classes of the objects it is given, and what it is given besides."""

    classes: tuple[str, ...]
    more: tuple[object, ...] = ()


CALLS: Mapping[str, PoolCall] = MappingProxyType(
    {
        "VM.start": PoolCall(("VM",), (False, False)),  # neither paused nor by force
        "VM.clean_shutdown": PoolCall(("VM",)),
        "VM.hard_shutdown": PoolCall(("VM",)),
        "VM.pool_migrate": PoolCall(("VM", "host"), ({"live": "true"},)),
        "host.disable": PoolCall(("host",)),
        "host.evacuate": PoolCall(("host",)),
        "PBD.plug": PoolCall(("PBD",)),
        "SR.scan": PoolCall(("SR",)),
    }
)
"""Whether one of them is possible now is xapi's to say; it refuses what is not, whoever asks."""


async def carry_out(client: XapiClient, words: Sequence[str], deadline: float, clock: Clock) -> Answer:
    """Do `<call> <uuid>…` as a task of xapi's and wait for its end. An Answer without a code: nobody knows what it did.

    A session that ended, or a host that is no longer master, is refused by xapi before anything is done, and the call
    is made again; a master that is lost may have begun it, so that nothing is made twice then.
    """
    name, *uuids = words
    call = CALLS.get(name)
    if call is None or len(uuids) != len(call.classes):
        return Answer(1, "", f"{name} is no operation that an order may ask of a pool")
    try:
        named = zip(call.classes, uuids, strict=True)
        refs = [await client.call(f"{class_}.get_by_uuid", uuid) for class_, uuid in named]
    except XapiLoginRefused:
        raise
    except HostError as error:
        return Answer(1, "", f"nothing was done: {error}")
    try:
        task = await client.call(f"Async.{name}", *refs, *call.more)
    except XapiError as error:
        return Answer(1, "", str(error))
    except HostError as error:
        return Answer(None, "", f"{error}; whether xapi has begun {name} is not known")
    return await _end_of(client, str(task), name, clock.monotonic() + deadline, clock)


async def _end_of(client: XapiClient, task: str, name: str, until: float, clock: Clock) -> Answer:
    """Asks for the task until it has ended; a master that is gone may come back, or another one may know the task."""
    last = "it is still under way"
    while clock.monotonic() < until:
        try:
            record = await client.call("task.get_record", task)
        except XapiError as error:
            if error.code == _GONE:
                return Answer(None, "", f"{name}: xapi no longer knows the task; another master does not go on with it")
            return Answer(None, "", f"{name}: {error}")
        except HostError as error:
            last = str(error)
        else:
            if record["status"] not in ("pending", "cancelling"):
                with suppress(HostError):
                    await client.call("task.destroy", task)
                return _answer(record, name)
            last = f"it is still under way, {_percent(record)} done"
        await clock.sleep(_LOOK_SECONDS)
    return Answer(None, "", f"{name} has not ended in time: {last}")


def _answer(record: Mapping[str, Any], name: str) -> Answer:
    if record["status"] == "success":
        return Answer(0, f"{name}: done")
    error = " ".join(map(str, record.get("error_info", ()))) or str(record["status"])
    return Answer(1, "", f"{name}: {error}")


def _percent(record: Mapping[str, Any]) -> str:
    try:
        return f"{float(record.get('progress', 0.0)):.0%}"
    except (TypeError, ValueError):
        return "0%"
