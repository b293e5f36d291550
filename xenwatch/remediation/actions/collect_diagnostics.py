"""Saves the state of the host before anything is changed."""

from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import dom0_free_mib, finding
from xenwatch.remediation.machine.port import OUTPUT_FOLDER, Order, argv
from xenwatch.remediation.machine.privileges import Privileges

_SOURCES = {
    "xl-info": ("xl", "info"),
    "xl-list": ("xl", "list", "-v"),
    "xl-dmesg": ("xl", "dmesg"),
    "xenstore": ("xenstore-ls", "-fp"),
    "kernel": ("dmesg",),
    "links": ("ip", "-d", "link"),
    "blocks": ("lsblk", "--all"),
    "processes": ("ps", "auxww"),
}

_PRIVILEGES = {"kernel": Privileges(capabilities=("CAP_SYSLOG",), devices=("/dev/kmsg r",))}


async def _check(context: Context) -> list[Finding]:
    free = await dom0_free_mib(context, "/var/lib")
    fits = None if free is None else free >= context.policy.min_free_mib
    return [finding("room", fits, f"{free} MiB free in /var/lib", "df")]


async def _plan(_context: Context) -> Plan:
    """One file for each source, in a folder of this run."""
    return Plan(
        tuple(
            Step(Order(argv(*words), save_as=f"{{run}}/{name}.txt", privileges=_PRIVILEGES.get(name)))
            for name, words in _SOURCES.items()
        )
    )


async def _verify(context: Context) -> Verdict:
    answer = await context.read("ls", "-1", "--", f"{OUTPUT_FOLDER}/{context.run}")
    missing = {f"{name}.txt" for name in _SOURCES} - set(answer.out.split())
    return Verdict(answer.ok and not missing, f"missing: {', '.join(sorted(missing))}" if missing else "all saved")


ACTION = Action(
    name="collect_diagnostics",
    title="Save the state of the host",
    risk="L0",
    kinds=("host", "domain"),
    check=_check,
    plan=_plan,
    repairs=False,
    verify=_verify,
    within=30.0,
    undo="delete the folder",
)
