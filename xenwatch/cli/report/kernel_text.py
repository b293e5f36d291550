"""Which kernel wrote a log, dom0's or a guest's, and the lines that show it."""

from xenwatch.base.printed_text import one_line
from xenwatch.cli.report.format import cut, first_line
from xenwatch.triage.report import FileRead

_WORDS = {"dom0": "dom0's kernel", "guest": "the kernel of a guest", "driver": "the kernel of a driver domain"}
_MOST_KERNELS = 4
_LONGEST = 100


def kernel_note(file: FileRead) -> str:
    """`dom0's kernel, by "xen: registering gsi 9"`; empty where no kernel writes there, or nobody can tell which."""
    notes = []
    for kernel in file.kernels[:_MOST_KERNELS]:
        of = f" on {one_line(kernel.host)}" if kernel.host and len(file.kernels) > 1 else ""
        notes.append(
            f'{_WORDS.get(kernel.role, kernel.role)}{of}, by "{cut(first_line(kernel.evidence[0]), _LONGEST)}"'
        )
    return "; ".join(notes)
