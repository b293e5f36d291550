"""Frees space on dom0's file systems with the tools that own the files: journald, log rotation, the package cache."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import Order, argv
from xenwatch.remediation.machine.privileges import Privileges

_FULL, _ENOUGH = 90, 85
_WAYS = {
    "/var/log": (
        ("journalctl", "--vacuum-size=200M"),
        ("logrotate", "--force", "/etc/logrotate.d/xen"),
    ),
    "/var": (("journalctl", "--vacuum-size=200M"), ("apt-get", "clean")),
    "/": (("journalctl", "--vacuum-size=200M"), ("apt-get", "clean")),
}
"""Which tools may be used for which mount point; nothing else is deleted."""
_PRIVILEGES = {
    "journalctl": Privileges(writes=("/var/log/journal", "/run/log/journal")),
    "logrotate": Privileges(
        capabilities=("CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID"),
        writes=("/var/log", "/var/lib/logrotate"),
    ),
    "apt-get": Privileges(
        capabilities=("CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"), writes=("/var/cache/apt", "/var/lib/apt")
    ),
}
"""logrotate gives a new log the owner and mode of the old one; a part of apt's cache belongs to the user _apt."""


def _mount(context: Context) -> str:
    return context.params.get("path", "/")


async def _used(context: Context) -> int | None:
    """Per cent used."""
    answer = await context.read("df", "--output=pcent", "--", _mount(context))
    words = answer.out.split()
    return int(words[-1].rstrip("%")) if answer.ok and words and words[-1].rstrip("%").isdigit() else None


async def _check(context: Context) -> list[Finding]:
    allowed = _mount(context) in _WAYS
    used = await _used(context) if allowed else None
    return [
        finding("path", allowed, f"{_mount(context)[:80]}; it must be one of {', '.join(_WAYS)}", "catalogue"),
        finding("full", None if used is None else used > _FULL, f"{used} % used; it must be more than {_FULL} %", "df"),
    ]


async def _plan(context: Context) -> Plan:
    return Plan(
        tuple(
            Step(Order(argv(*words), deadline=120.0, privileges=_PRIVILEGES[words[0]]))
            for words in _WAYS[_mount(context)]
        )
    )


async def _verify(context: Context) -> Verdict:
    used = await _used(context)
    return Verdict(None if used is None else used < _ENOUGH, f"{used} % used")


ACTION = Action(
    name="free_dom0_space",
    title="Free space on dom0's file systems",
    risk="L1",
    kinds=("host",),
    params=("path",),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="none",
)
