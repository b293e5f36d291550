"""The hypervisor: panics, and what printk says at level error or warning."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"panic"), "panic"),
    Says(re.compile(r"g?d?printk(?:_once)?")),
    Says(re.compile(r"AMD_IOMMU_ERROR|AMD_IOMMU_WARN|xsm_err|hvm_err|VTDPREFIX_ERR"), "error"),
    Says(re.compile(r"printk_once|warning_add"), "warning"),
    Says(re.compile(r"domain_crash"), "error"),
]


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """Text of gprintk begins with the vcpu that it speaks of; a panic is framed as the console shows it."""
    if message.severity == "panic":
        frame = "****************************************"
        return Line("hypervisor", f"(XEN) \n(XEN) {frame}\n(XEN) Panic on CPU 0:\n(XEN) {text}\n(XEN) {frame}")
    told = text.strip("\n")
    where = "d7v1 " if message.call in ("gprintk", "gdprintk") else ""
    return Line("hypervisor", "\n".join(f"(XEN) {where}{line}" for line in told.split("\n")))


COMPONENT = Component(
    name="hypervisor",
    paths=("xen/**/*.c",),
    read=c_reader(_SAYS),
    line=_line,
    leave_out=re.compile(r"ia64|powerpc|ppc|riscv|/tools/|/test|efi/runtime_|xen/include"),
)
