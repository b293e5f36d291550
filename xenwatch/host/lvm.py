"""Asks LVM for its volume groups, physical and logical volumes: one program run for all of them."""

from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.lvm import LvmReport, parse_report
from xenwatch.host.privileged.questions import LVM_REPORT


async def lvm_report(runner: Runner, deadline: float = 30.0) -> LvmReport:
    """What LVM knows now. It may wait for a hung disk: CommandFailed or TimedOut are to be expected."""
    return parse_report((await runner.run(LVM_REPORT, deadline)).checked().text)
