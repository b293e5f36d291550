"""How a test asks a stand-in pool: with its authority, as the user who may only read."""

import ssl
from collections.abc import Sequence

from xapi.pools import StandInPool

from xenwatch.base.clock import SystemClock
from xenwatch.demo.pool.methods import USERS
from xenwatch.host.xapi.access import XapiAccess
from xenwatch.host.xapi.client import XapiClient
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi.reader import PoolReader


def access_to(pool: StandInPool, **changed: object) -> XapiAccess:
    given: dict[str, object] = {
        "name": "prod",
        "addresses": (pool.url(),),
        "user": "monitor",
        "password": lambda: USERS["monitor"][0],
        "tls": ssl.create_default_context(cafile=pool.authority.certificate),
        "call_seconds": 5.0,
        **changed,
    }
    return XapiAccess(**given)  # type: ignore[arg-type]


async def samples_of(pool: StandInPool) -> Sequence[Sample]:
    """What an agent samples of a pool that runs: after the second look, when rates are known."""
    client = XapiClient(access_to(pool))
    reader = PoolReader(client, SystemClock())
    await reader.read()
    samples = (await reader.read()).samples
    await client.close()
    return samples
