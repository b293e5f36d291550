"""What a person frees: the slot of a run that did not succeed."""

from xenwatch.fleet.claims import SLOTS, Slot, slot_of
from xenwatch.fleet.etcd import EtcdClient, created_at, delete_operation


async def held_slots(client: EtcdClient) -> list[Slot]:
    """All of them, by number."""
    found = [slot_of(kv) for kv in (await client.list_below(SLOTS)).keys]
    return sorted((slot for slot in found if slot is not None), key=lambda slot: slot.number)


async def free_slot(client: EtcdClient, run: str) -> Slot | None:
    """The slot of the one run with an id that begins like this; None where there is not exactly one."""
    keys = [(kv, slot) for kv in (await client.list_below(SLOTS)).keys if (slot := slot_of(kv)) is not None]
    meant = [(kv, slot) for kv, slot in keys if slot.run.startswith(run)]
    if len(meant) != 1:
        return None
    kv, slot = meant[0]
    await client.transact([created_at(kv.key, kv.created)], [delete_operation(kv.key)])
    return slot
