"""P11: whether a guest's memory, with what Xen adds for it, fits on a host."""

import math

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import passes
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig

_SUPERPAGE_MIB = 2


def xl_info(text: str) -> dict[str, str]:
    """`key : value` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


async def info(context: Context, host: str = HERE) -> dict[str, str] | None:
    """`xl info` (or `xm info`) of a host; None: unknown."""
    tool = "xm" if context.guest is not None and context.guest.toolstack == "xm" else "xl"
    answer = await context.read(tool, "info", host=host)
    return xl_info(answer.out) if answer.ok else None


async def free_mib(context: Context, host: str = HERE) -> int | None:
    """Free memory of a host, less the policy's reserve. Claims of guests being built are off `free_memory` already."""
    said = await info(context, host)
    free = (said or {}).get("free_memory", "")
    known = context.inventory.host(host or context.inventory.here)
    return int(free) - (known.reserve_mib if known else 0) if free.isdigit() else None


def needed_mib(config: GuestConfig) -> int:
    """Target, shadow or paging memory (4 KiB x (256 a vCPU + 2 a MiB)), a little for the domain itself; whole 2 MiB."""
    paging = 0.0 if config.kind == "pv" else 4 * (256 * config.vcpus + 2 * config.max_memory_mib) / 1024
    own = 1 if config.kind == "pv" else 2
    return math.ceil((config.memory_mib + paging + own) / _SUPERPAGE_MIB) * _SUPERPAGE_MIB


async def check_memory(context: Context, config: GuestConfig, host: str = HERE, released_mib: int = 0) -> Finding:
    """`released_mib` is what a domain that is put away first gives back."""
    free, need = await free_mib(context, host), needed_mib(config)
    fits = None if free is None else need <= free + released_mib
    return passes(
        "P11 memory",
        fits,
        f"needs {need} MiB, {'unknown' if free is None else f'{free} MiB'} free after the reserve",
        "xl info: free_memory",
    )
