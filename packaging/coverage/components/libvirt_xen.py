"""libvirt's drivers for Xen: libxl, the old xend driver, and what translates configurations."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(
        re.compile(r"virReportError|virXen(?:d|S|M|Inotify)?\w*Error|libxlError|XENXS_ERROR|vir\w*ReportError"), "error"
    ),
    Says(re.compile(r"virReportSystemError|virReportErrnoError"), "error"),
    Says(re.compile(r"VIR_ERROR"), "error"),
    Says(re.compile(r"VIR_WARN"), "warning"),
]
_KINDS = {
    "INTERNAL_ERROR": "internal error: ",
    "OPERATION_FAILED": "operation failed: ",
    "OPERATION_INVALID": "Requested operation is not valid: ",
    "OPERATION_UNSUPPORTED": "Operation not supported: ",
    "OPERATION_DENIED": "operation forbidden: ",
    "OPERATION_TIMEOUT": "Timed out during operation: ",
    "CONFIG_UNSUPPORTED": "unsupported configuration: ",
    "CONF_SYNTAX": "configuration file syntax error: ",
    "ARGUMENT_UNSUPPORTED": "argument unsupported: ",
    "NO_DOMAIN": "Domain not found: ",
    "DOM_EXIST": "domain already exists: ",
    "XML_ERROR": "XML error: ",
    "XML_DETAIL": "XML document failed to validate against schema: ",
    "INVALID_ARG": "invalid argument: ",
    "NO_SUPPORT": "this function is not supported by the connection driver: ",
    "XEN_CALL": "Xen hypercall failed: ",
    "XENSTORE": "error in xen store: ",
    "AUTH": "authentication failed: ",
}
"""What virErrorMsg puts before the text, by the code without VIR_ERR_."""


def _line(message: Message, text: str, _tree: Tree) -> Line:
    codes = " ".join(message.before)
    kind = next((told for code, told in _KINDS.items() if f"VIR_ERR_{code}" in codes), "")
    if message.call == "XENXS_ERROR":
        kind = kind or "internal error: "
    reason = ": Invalid argument" if "Errno" in message.call or "SystemError" in message.call else ""
    level = "warning" if message.severity == "warning" else "error"
    stamp = "2024-07-14 14:18:02.123+0000: 4321"
    return Line("libvirt", f"{stamp}: {level} : {message.function}:{message.line} : {kind}{text}{reason}")


COMPONENT = Component(
    name="libvirt-xen",
    paths=(
        "src/libxl/*.c",
        "src/xen/*.c",
        "src/xenxs/*.c",
        "src/xenconfig/*.c",
        "src/storage/storage_driver.c",
        "src/storage/storage_backend.c",
        "src/storage/storage_backend_fs.c",
        "src/storage/storage_backend_logical.c",
        "src/storage/storage_backend_iscsi.c",
        "src/storage/storage_util.c",
    ),
    read=c_reader(_SAYS),
    line=_line,
)
