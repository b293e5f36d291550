"""What the numbers mean that errors begin or end with: errno, grant tables, libxl, libxc, exit status, signals."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from xenwatch.base import lazy_re as re


class ErrorNumber(NamedTuple):
    """A number of one family, such as errno 28: its name in C, what it says, and the class it speaks for, if any."""

    name: str
    words: str
    prior: str = ""


PERMISSION, MEMORY, FULL = "permission-denied", "memory-insufficient-host", "storage-full"

ERRNO: Mapping[int, ErrorNumber] = {
    1: ErrorNumber("EPERM", "operation not permitted", PERMISSION),
    2: ErrorNumber("ENOENT", "no such file or directory"),
    3: ErrorNumber("ESRCH", "no such process"),
    4: ErrorNumber("EINTR", "interrupted system call"),
    5: ErrorNumber("EIO", "input/output error"),
    6: ErrorNumber("ENXIO", "no such device or address"),
    7: ErrorNumber("E2BIG", "argument list too long"),
    9: ErrorNumber("EBADF", "bad file descriptor"),
    11: ErrorNumber("EAGAIN", "resource temporarily unavailable"),
    12: ErrorNumber("ENOMEM", "cannot allocate memory", MEMORY),
    13: ErrorNumber("EACCES", "permission denied", PERMISSION),
    14: ErrorNumber("EFAULT", "bad address"),
    16: ErrorNumber("EBUSY", "device or resource busy"),
    17: ErrorNumber("EEXIST", "file exists"),
    19: ErrorNumber("ENODEV", "no such device"),
    20: ErrorNumber("ENOTDIR", "not a directory"),
    21: ErrorNumber("EISDIR", "is a directory"),
    22: ErrorNumber("EINVAL", "invalid argument"),
    23: ErrorNumber("ENFILE", "too many open files in system"),
    24: ErrorNumber("EMFILE", "too many open files"),
    27: ErrorNumber("EFBIG", "file too large"),
    28: ErrorNumber("ENOSPC", "no space left on device", FULL),
    30: ErrorNumber("EROFS", "read-only file system"),
    32: ErrorNumber("EPIPE", "broken pipe"),
    34: ErrorNumber("ERANGE", "numerical result out of range"),
    36: ErrorNumber("ENAMETOOLONG", "file name too long"),
    38: ErrorNumber("ENOSYS", "function not implemented"),
    61: ErrorNumber("ENODATA", "no data available"),
    62: ErrorNumber("ETIME", "timer expired"),
    71: ErrorNumber("EPROTO", "protocol error"),
    75: ErrorNumber("EOVERFLOW", "value too large for defined data type"),
    85: ErrorNumber("ERESTART", "interrupted system call should be restarted"),
    95: ErrorNumber("EOPNOTSUPP", "operation not supported"),
    98: ErrorNumber("EADDRINUSE", "address already in use"),
    99: ErrorNumber("EADDRNOTAVAIL", "cannot assign requested address"),
    101: ErrorNumber("ENETUNREACH", "network is unreachable"),
    103: ErrorNumber("ECONNABORTED", "software caused connection abort"),
    104: ErrorNumber("ECONNRESET", "connection reset by peer"),
    105: ErrorNumber("ENOBUFS", "no buffer space available"),
    107: ErrorNumber("ENOTCONN", "transport endpoint is not connected"),
    110: ErrorNumber("ETIMEDOUT", "connection timed out"),
    111: ErrorNumber("ECONNREFUSED", "connection refused"),
    112: ErrorNumber("EHOSTDOWN", "host is down"),
    113: ErrorNumber("EHOSTUNREACH", "no route to host"),
    116: ErrorNumber("ESTALE", "stale file handle"),
    121: ErrorNumber("EREMOTEIO", "remote I/O error"),
    122: ErrorNumber("EDQUOT", "disk quota exceeded", FULL),
}
"""Linux's numbers. ENOENT, EBUSY, EINVAL, EEXIST and ETIMEDOUT speak for no class: only the operation tells."""

LIBXL: Mapping[int, ErrorNumber] = {
    number: ErrorNumber(f"ERROR_{name}", words, MEMORY if name == "NOMEM" else "")
    for number, name, words in (
        (-1, "NONSPECIFIC", "a failure that libxl does not describe"),
        (-2, "VERSION", "a version that does not fit"),
        (-3, "FAIL", "the operation failed"),
        (-4, "NI", "not implemented"),
        (-5, "NOMEM", "not enough memory"),
        (-6, "INVAL", "an invalid value"),
        (-7, "BADFAIL", "a failure that could not be undone"),
        (-8, "GUEST_TIMEDOUT", "the guest did not answer in time"),
        (-9, "TIMEDOUT", "no answer in time"),
        (-10, "NOPARAVIRT", "the guest has no paravirtual drivers for it"),
        (-11, "NOT_READY", "not ready yet"),
        (-12, "OSEVENT_REG_FAIL", "an event could not be registered"),
        (-13, "BUFFERFULL", "a buffer is full"),
        (-14, "UNKNOWN_CHILD", "an unknown child process"),
        (-15, "LOCK_FAIL", "a lock could not be taken"),
        (-16, "JSON_CONFIG_EMPTY", "the stored configuration is empty"),
        (-17, "DEVICE_EXISTS", "the device is already there"),
        (-18, "CHECKPOINT_DEVOPS_DOES_NOT_MATCH", "the device does not fit the checkpoint operation"),
        (-19, "CHECKPOINT_DEVICE_NOT_SUPPORTED", "the device cannot be checkpointed"),
        (-20, "VNUMA_CONFIG_INVALID", "the vNUMA settings are invalid"),
        (-21, "DOMAIN_NOTFOUND", "there is no such domain"),
        (-22, "ABORTED", "the operation was aborted"),
        (-23, "NOTFOUND", "not found"),
        (-24, "DOMAIN_DESTROYED", "the domain was destroyed meanwhile"),
        (-25, "FEATURE_REMOVED", "the feature was removed"),
        (-26, "PROTOCOL_ERROR_QMP", "the device model's answer is no QMP"),
        (-27, "UNKNOWN_QMP_ERROR", "the device model reported an unknown error"),
        (-28, "QMP_GENERIC_ERROR", "the device model reported an error"),
        (-29, "QMP_COMMAND_NOT_FOUND", "the device model does not know the command"),
        (-30, "QMP_DEVICE_NOT_ACTIVE", "the device is not active in the device model"),
        (-31, "QMP_DEVICE_NOT_FOUND", "the device model has no such device"),
        (-32, "QEMU_API", "the device model does not support the request"),
    )
}

GRANT: Mapping[int, ErrorNumber] = {
    number: ErrorNumber(f"GNTST_{name}", words, prior)
    for number, name, words, prior in (
        (-1, "general_error", "a general error", ""),
        (-2, "bad_domain", "an unknown domain", ""),
        (-3, "bad_gntref", "an unknown or unfit grant reference", ""),
        (-4, "bad_handle", "an unknown mapping", ""),
        (-5, "bad_virt_addr", "an unfit virtual address", ""),
        (-6, "bad_dev_addr", "an unfit device address", ""),
        (-7, "no_device_space", "no room in the IOMMU", ""),
        (-8, "permission_denied", "the grant does not permit it", ""),
        (-9, "bad_page", "the page is not usable", ""),
        (-10, "bad_copy_arg", "the copy would cross a page", ""),
        (-11, "address_too_big", "the address is too big", ""),
        (-12, "eagain", "the page is not in memory just now", ""),
        (-13, "no_space", "the table of mappings is full", "grant-table-failure"),
    )
}

LIBXC: Mapping[int, ErrorNumber] = {
    1: ErrorNumber("XC_INTERNAL_ERROR", "internal error"),
    2: ErrorNumber("XC_INVALID_KERNEL", "invalid kernel", "kernel-image-invalid"),
    3: ErrorNumber("XC_INVALID_PARAM", "invalid configuration"),
    4: ErrorNumber("XC_OUT_OF_MEMORY", "out of memory", MEMORY),
}

ZLIB: Mapping[int, ErrorNumber] = {
    -1: ErrorNumber("Z_ERRNO", "the file could not be read"),
    -2: ErrorNumber("Z_STREAM_ERROR", "a wrong parameter"),
    -3: ErrorNumber("Z_DATA_ERROR", "the compressed data is damaged"),
    -4: ErrorNumber("Z_MEM_ERROR", "not enough memory", MEMORY),
    -5: ErrorNumber("Z_BUF_ERROR", "the compressed data ends too early"),
    -6: ErrorNumber("Z_VERSION_ERROR", "another version of zlib"),
}
"""Of libxc's reading of compressed kernels."""

SIGNAL: Mapping[int, ErrorNumber] = {
    1: ErrorNumber("SIGHUP", "hang-up"),
    2: ErrorNumber("SIGINT", "interrupted by a person"),
    3: ErrorNumber("SIGQUIT", "quit"),
    4: ErrorNumber("SIGILL", "illegal instruction"),
    6: ErrorNumber("SIGABRT", "aborted by itself"),
    7: ErrorNumber("SIGBUS", "bus error"),
    8: ErrorNumber("SIGFPE", "arithmetic error"),
    9: ErrorNumber("SIGKILL", "killed"),
    11: ErrorNumber("SIGSEGV", "segmentation fault"),
    13: ErrorNumber("SIGPIPE", "broken pipe"),
    14: ErrorNumber("SIGALRM", "timer expired"),
    15: ErrorNumber("SIGTERM", "asked to end"),
}

EXIT: Mapping[int, ErrorNumber] = {
    126: ErrorNumber("NOT_EXECUTABLE", "the program could not be executed", PERMISSION),
    127: ErrorNumber("NOT_FOUND", "a program was not found", "toolstack-missing-component"),
    **{128 + number: ErrorNumber(one.name, f"ended by signal {number}, {one.words}") for number, one in SIGNAL.items()},
}
"""What the shell's exit statuses mean; smaller ones are the program's own."""

_FAMILIES: Mapping[str, Mapping[int, ErrorNumber]] = {
    "errno": ERRNO, "rc": LIBXL, "grant_status": GRANT, "xc_code": LIBXC, "zlib_rc": ZLIB, "exit": EXIT,
    "signal": SIGNAL,
}  # fmt: skip
"""Fields that hold a number, and the table each is looked up in."""

_TEXT_FIELDS = ("reason", "message", "error_text")
_BY_NAME = {one.name: one for one in ERRNO.values()}
_BY_WORDS = {one.words: one for one in ERRNO.values()} | {"no space left": ERRNO[28], "out of memory": ERRNO[12],
             "timed out": ERRNO[110], "argument invalid": ERRNO[22]}  # fmt: skip
_TEXT = re.compile(
    rf"\b(?:(?P<name>{'|'.join(_BY_NAME)})\b|(?P<words>{'|'.join(sorted(_BY_WORDS, key=len, reverse=True))})\b"
    r"|\[?errno[ =:]{0,2}-?(?P<number>\d{1,3})\b|\((?P<pair>\d{1,3}) = |\((?P<tuple>\d{1,3}), ?['\"])",
    re.IGNORECASE,
)
_XC = re.compile(rf"\((?P<code>[1-4]), ?['\"](?:{'|'.join(one.words for one in LIBXC.values())})['\"],", re.IGNORECASE)
"""What Python prints of an error of libxc: `(2, 'Invalid kernel', …)`. An errno is the first of two, not of three."""
_NUMBER = re.compile(r"^(-?\d{1,4})(?:$|/[A-Z]+$|[ ,(])")


def meaning(field: str, text: str) -> ErrorNumber | None:
    """What the value of a captured field says: `errno` `-28`, `rc` `-3`, `exit` `127`, `signal` `11/SEGV`."""
    table, found = _FAMILIES.get(field), _NUMBER.match(text.strip())
    if table is None or found is None:
        return None
    number = int(found[1])
    if table is ERRNO:
        number = abs(number)
    return table.get(number) or (ERRNO.get(-number) if table is LIBXL else None)


def errno_in(text: str) -> ErrorNumber | None:
    """The last errno that a text names, by name, number or words: what is said last is the reason."""
    last = None
    for last in _TEXT.finditer(text[-2000:]):  # noqa: B007  the last one is wanted
        pass
    if last is None:
        return None
    if last["tuple"] and _XC.match(text[-2000:], last.start()):
        return None
    if last["name"] or last["words"]:
        return _BY_NAME.get((last["name"] or "").upper()) or _BY_WORDS.get((last["words"] or "").lower())
    return ERRNO.get(int(last["number"] or last["pair"] or last["tuple"]))


def xc_in(text: str) -> ErrorNumber | None:
    """The number of libxc that a Python exception names."""
    found = _XC.search(text[-2000:])
    return LIBXC[int(found["code"])] if found else None


def number_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Further fields for expressions, such as `errno_name` (ENOSPC), `rc_name`, `exit_name`, `signal_name`.

    An errno is taken from the field of that name, else from the end of what the error says in words.
    """
    found = {f"{field}_name": one.name for field, one in _meanings(fields)}
    if "errno_name" not in found and (errno := _errno_in_words(fields)) is not None:
        found["errno_name"] = errno.name
    if "xc_code_name" not in found and (code := _in_words(fields, xc_in)) is not None:
        found["xc_code_name"] = code.name
    return found


def prior_class(fields: Mapping[str, str]) -> tuple[str, str] | None:
    """The class that the numbers of an error speak for, and the name of the number; None where they tell nothing."""
    said = None if "errno" in fields else _errno_in_words(fields) or _in_words(fields, xc_in)
    for one in [*(one for _, one in _meanings(fields)), *([said] if said else [])]:
        if one.prior:
            return one.prior, one.name
    return None


def in_words(field: str, text: str) -> str:
    """`-28` as `-28 (ENOSPC: no space left on device)`; the text alone where the table does not know it."""
    found = meaning(field, text)
    return text if found is None else f"{text} ({found.name}: {found.words})"


def numbers_told(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name of each field with a number that means something, and its value in words."""
    return [(field, in_words(field, fields[field])) for field, _ in _meanings(fields)]


def _meanings(fields: Mapping[str, str]) -> Iterator[tuple[str, ErrorNumber]]:
    for field in _FAMILIES:
        if field in fields and (found := meaning(field, fields[field])) is not None:
            yield field, found


def _errno_in_words(fields: Mapping[str, str]) -> ErrorNumber | None:
    return _in_words(fields, errno_in)


def _in_words(fields: Mapping[str, str], read: Callable[[str], ErrorNumber | None]) -> ErrorNumber | None:
    texts = (fields[name] for name in _TEXT_FIELDS if name in fields)
    return next((found for text in texts if (found := read(text)) is not None), None)
