"""P11: whether a guest's memory, with what Xen needs beside it, fits on a host."""

import math

from xenwatch.host.parse.xl_info import parse_info
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import finding
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig

_SUPERPAGE_MIB = 2


async def host_info(context: Context, host: str = HERE) -> dict[str, str] | None:
    """`xl info` (or `xm info`) of a host, read once in each run of the checks; None: unknown."""
    tool = "xm" if context.guest is not None and context.guest.toolstack == "xm" else "xl"
    answer = await context.read_once(tool, "info", host=host)
    return parse_info(answer.out) if answer.ok else None


async def free_mib(context: Context, host: str = HERE) -> int | None:
    """Free memory of a host without the policy's reserve. Xen subtracts the claims of guests being built by itself."""
    info = await host_info(context, host)
    free = (info or {}).get("free_memory", "")
    managed_host = context.inventory.host(host or context.inventory.here)
    return int(free) - (managed_host.reserve_mib if managed_host else 0) if free.isdigit() else None


def needed_mib(config: GuestConfig) -> int:
    """Target, shadow or paging memory (4 KiB x (256 a vCPU + 2 a MiB)), a little for the domain itself; whole 2 MiB."""
    paging = 0.0 if config.kind == "pv" else 4 * (256 * config.vcpus + 2 * config.max_memory_mib) / 1024
    own = 1 if config.kind == "pv" else 2
    return math.ceil((config.memory_mib + paging + own) / _SUPERPAGE_MIB) * _SUPERPAGE_MIB


async def check_memory(context: Context, config: GuestConfig, host: str = HERE, released_mib: int = 0) -> Finding:
    """`released_mib`: memory of a domain that is destroyed first."""
    free, need = await free_mib(context, host), needed_mib(config)
    fits = None if free is None else need <= free + released_mib
    return finding(
        "P11 memory",
        fits,
        f"needs {need} MiB, {'unknown' if free is None else f'{free} MiB'} free after the reserve",
        "xl info: free_memory",
    )
