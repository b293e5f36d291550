"""xl: what it writes to the terminal, with libxlu, which reads configurations, disks and PCI devices for it."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"fprintf"), "error", needs=re.compile(r"\bstderr\b|cfg->report|\breport\b")),
    Says(re.compile(r"perror|err|errx|warnx?"), "error"),
    Says(re.compile(r"xlu__(?:disk|vif)_err|XLU__PCI_ERR|xlu__vif_err|xlu__cfgl_lexicalerror|parse_error"), "error"),
]

_BEFORE = {
    "xlu__disk_err": "/etc/xen/web.cfg: config parsing error in disk specification: ",
    "xlu__vif_err": "/etc/xen/web.cfg: config parsing error in vif: ",
    "xlu__cfgl_lexicalerror": "/etc/xen/web.cfg:12: config parsing error: ",
}
"""What libxlu puts before a message that is only the reason."""


def _line(message: Message, text: str, _tree: Tree) -> Line:
    reason = ": Invalid argument" if message.call in ("perror", "err", "warn") else ""
    where = _BEFORE.get(message.call, "")
    return Line("stderr", f"{where}{text.strip(chr(10))}{reason}")


COMPONENT = Component(
    name="xl",
    paths=("tools/xl/xl*.c", "tools/libs/util/libxlu*.c", "tools/libxl/xl*.c", "tools/libxl/libxlu*.c"),
    read=c_reader(_SAYS, ["tools/xl/*.h", "tools/libxl/*.h"]),
    line=_line,
    leave_out=re.compile(r"_test\.c|libxlu_cfg_[ly]\.c"),
)
