"""Maintenance that a person set on one host, where all hosts see it; it outlives the agent that said so."""

import json

from xenwatch.fleet.claims import MAINTENANCE, maintenance_key
from xenwatch.fleet.etcd import EtcdClient, KeyValue
from xenwatch.model.coordination import MaintenanceNotice


async def tell_maintenance(client: EtcdClient, host: str, wanted: tuple[MaintenanceNotice, ...], now: float) -> None:
    """What this host told before and is over goes; what is on stands until its end, on a lease of its own."""
    known = {kv.key: kv for kv in (await client.list_below(MAINTENANCE)).keys}
    texts = {maintenance_key(one.scope, host): (_text(one, host), one.ends) for one in wanted}
    for key, kv in known.items():
        if key not in texts and _host_of(kv) == host:
            await client.delete(key)
    for key, (text, ends) in texts.items():
        if (key not in known or known[key].value != text) and ends > now:
            await client.put(key, text, await client.grant_lease(max(1, int(ends - now))))


def _text(one: MaintenanceNotice, host: str) -> str:
    words = f"maintenance of {one.scope} by {one.owner} on {host}: {one.reason}"
    return json.dumps({"host": host, "owner": one.owner, "reason": one.reason, "ends": round(one.ends), "words": words})


def _host_of(kv: KeyValue) -> str:
    try:
        return str(json.loads(kv.value)["host"])
    except (ValueError, KeyError, TypeError):
        return ""
