"""libxl: what it tells xl, libvirt and everything else that starts guests."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_NAMED = re.compile(r"LOGE?V?D?|LOGED|LOGEVD|LIBXL__LOG(?:D?_ERRNO(?:VAL)?|D)?|XL_LOG(?:_ERRNO(?:VAL)?)?")
_COLON_SINCE = (4, 2)


def _line(message: Message, text: str, tree: Tree) -> Line:
    """`libxl: error: libxl_dm.c:1433:func: Domain 7:text: Invalid argument`; 4.1 has no colon behind the function."""
    colon = ":" if tree.release >= _COLON_SINCE else ""
    domain = "Domain 7:" if re.search(r"LOGE?V?D$|LOGD", message.call) else ""
    reason = ": Invalid argument" if re.search(r"LOGE|ERRNO", message.call) else ""
    level = "warning" if message.severity == "warning" else "error"
    place = f"{message.file}:{message.line}:{message.function}{colon}"
    return Line("libxl", f"libxl: {level}: {place} {domain}{text}{reason}")


COMPONENT = Component(
    name="libxl",
    paths=("tools/libs/light/libxl*.c", "tools/libxl/libxl*.c"),
    read=c_reader([Says(_NAMED)], ["tools/libs/light/*.h", "tools/libxl/*.h"]),
    line=_line,
    leave_out=re.compile(r"libxlu_|_test_|test_|netbsd|freebsd|solaris"),
)
