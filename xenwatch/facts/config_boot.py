"""Facts about how the host is booted: the kernel's command line, and what the boot loader is to give the next time."""

from collections.abc import Iterator

from xenwatch.base import lazy_re as re
from xenwatch.facts.definitions import FactRow
from xenwatch.model.subject import HOST

_XEN = re.compile(r"^\s*(?:multiboot2?|kernel|xen_hypervisor|chainloader)\s+(?P<image>\S*xen\S*)(?P<options>.*)$")
_DOM0 = re.compile(r"^\s*(?:module2?|xen_module)\s+(?P<image>\S*(?:vmlinu|bzImage|linux|kernel)\S*)(?P<options>.*)$")


def kernel_command_line(text: str) -> Iterator[FactRow]:
    """Of /proc/cmdline."""
    if text.strip():
        yield "kernel.command_line", HOST, text.strip()


def boot_entries(text: str) -> Iterator[FactRow]:
    """Of grub.cfg, grub.conf and menu.lst: the options of every entry that starts Xen, the first one first."""
    lines = text.splitlines()
    yield "boot.xen_command_lines", HOST, tuple(_options(_XEN, lines))
    yield "boot.dom0_command_lines", HOST, tuple(_options(_DOM0, lines))


def _options(pattern: re.Pattern[str], lines: list[str]) -> Iterator[str]:
    for line in lines:
        if found := pattern.match(line):
            yield found["options"].strip().removeprefix("placeholder").strip()
