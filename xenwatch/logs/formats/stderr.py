"""Captured terminal output of xm, xl, virsh, xe and their scripts: the last resort for text a host wrote."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, SYSLOG_LINE, WRAPPED, named, syslog_header, xtl_header
from xenwatch.model.record import Header, LogFormat, TimeHint

_KERNEL = re.compile(
    rb"[ \t>]*(?:<\d>)?(?:"
    + SYSLOG_LINE.encode()
    + rb"\S+ )?(?:kernel: |\[ {0,5}\d{1,8}\.\d{1,6}\]"
    + rb"|BUG: |Oops: |Kernel panic |kernel BUG at |general protection fault|[Uu]nable to handle kernel"
    + rb"|WARNING: (?:CPU|at)"
    + rb"|Out of [Mm]emory: Kill|\S+ invoked oom-killer|INFO: task |(?:Buffer )?I/O error"
    + rb"|end_request: |blk_update_request: "
    + rb"|VFS: |(?:xen[-_])?(?:blk|net|scsi|pci)(?:front|back)\b|(?:vbd vbd|vif vif)-\d)"
)
"""A kernel's line among what a terminal showed: by its stamp, or by words that only kernels use."""


def _parse(text: str, hint: TimeHint) -> Header:
    """People paste anything: a line with a syslog or libxl header gives its time, all others give none."""
    header = xtl_header(text, hint)
    return header if header.length or header.level else syslog_header(text, hint)


FORMAT = LogFormat(
    name="stderr",
    title="captured output of commands",
    carries_any=True,
    foreign=True,
    captured=True,
    names=named(
        r"(?:std)?err(?:\.(?:log|txt))?",
        r"[\w.-]*stderr(?:\.(?:log|txt))?",
        r"(?:output|terminal|session|typescript|screenlog)\.(?:log|txt)",
        r"typescript",
    ),
    rank=90,
    continues=re.compile(CONTINUED.pattern + rb"|" + WRAPPED),
    parse=_parse,
    kernel_line=_KERNEL,
)
