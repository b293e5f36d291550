"""How a test asks a stand-in pool: with its authority, as the user who may only read."""

import ssl

from xapi.pools import StandInPool

from xenwatch.demo.pool.methods import USERS
from xenwatch.host.xapi.access import XapiAccess


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
