"""The libvirt calls an order may name: a fixed table, each with a UUID and numbers, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.machine.port import Answer

PREFIX = "libvirt:"

CALLS: Mapping[str, Callable[[Any, Sequence[int]], Any]] = MappingProxyType(
    {
        "create": lambda domain, _: domain.create(),
        "shutdown": lambda domain, _: domain.shutdown(),
        "reboot": lambda domain, _: domain.reboot(),
        "destroy": lambda domain, _: domain.destroy(),
        "resume": lambda domain, _: domain.resume(),
        "suspend": lambda domain, _: domain.suspend(),
        "set_memory": lambda domain, numbers: domain.setMemory(numbers[0]),
    }
)


def call(connection: Any, argv: Sequence[str]) -> Answer:
    """Carry out `libvirt:<call> <uuid> [numbers]` on a virConnect. An error is an Answer with its message."""
    word, uuid, *rest = argv
    make = CALLS.get(word.removeprefix(PREFIX))
    if make is None:
        raise InputError(f"{word} is not a libvirt call that an order may make")
    try:
        make(connection.lookupByUUIDString(uuid), [int(text) for text in rest])
    except Exception as error:  # noqa: BLE001 - libvirt is imported by the caller alone; its one error class is any error here
        return Answer(1, "", f"libvirt: {error}")
    return Answer(0)
