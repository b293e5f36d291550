"""What an order may use beyond the agent's own unit, and the short-lived unit of systemd that grants exactly that."""

from dataclasses import dataclass

_SHUT = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "RestrictAddressFamilies=AF_UNIX AF_NETLINK",
    "IPAddressDeny=any",
    "DevicePolicy=closed",
)


@dataclass(frozen=True, slots=True)
class Privileges:
    """All that one order may use of the kernel. The agent's own unit does not have it, and does not get it."""

    capabilities: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Folders; one that does not exist is passed over."""
    devices: tuple[str, ...] = ()
    """As DeviceAllow= of systemd names them: `/dev/kmsg r`."""


def unit_properties(privileges: Privileges) -> tuple[str, ...]:
    """The settings of a unit that has these privileges and no others."""
    return (
        *_SHUT,
        *(("ProtectKernelLogs=yes",) if "/dev/kmsg r" not in privileges.devices else ()),
        f"CapabilityBoundingSet={' '.join(privileges.capabilities)}",
        *(f"ReadWritePaths=-{folder}" for folder in privileges.writes),
        *(f"DeviceAllow={device}" for device in privileges.devices),
    )


def confined(argv: tuple[str, ...], privileges: Privileges, run: str, deadline: float) -> tuple[str, ...]:
    """`argv`, carried out by systemd in a unit of its own that ends with it, at the latest after `deadline` seconds."""
    properties = (*unit_properties(privileges), f"RuntimeMaxSec={deadline:g}")
    return (
        "systemd-run",
        "--quiet",
        "--wait",
        "--collect",
        "--pipe",
        f"--description=xenwatch run {run}",
        "--setenv=LC_ALL=C",
        *(f"--property={setting}" for setting in properties),
        "--",
        *argv,
    )
