"""An exception in one shape, whichever language printed it: its type, its text, the innermost own frame, the call."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from xenwatch.base import lazy_re as re


class ExceptionText(NamedTuple):
    """`frame` is `path:line in function`, `call` the text of the call that failed; both empty where nothing says so."""

    type: str
    message: str = ""
    frame: str = ""
    call: str = ""


LONGEST = 8000
"""Characters of a record that are looked at: no traceback that a person would read is longer."""

_KINDS = r"(?:Error|Exception|Fault|Failure|Exit|Interrupt|Iteration|Warning|Required|NotFound|Refused)"
FINAL_LINE = re.compile(
    rf"(?P<type>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*{_KINDS}|(?:[A-Za-z_]\w*\.)+[A-Z]\w*|[A-Z]\w{{2,}}(?=: ))"
    r"(?:: ?(?P<text>.*))?$"
)
"""The last line of a Python traceback: `IOError: [Errno 95] …`, `xen.xend.XendError.VmError: …`, `KeyError`."""
FRAME_LINE = re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\n]+))?')
_OWN = re.compile(
    r"xen|pygrub|pypxeboot|/sm/|/opt/xensource|qubes|ganeti|virt|/usr/(?:local/)?s?bin/|cloudstack|xsconsole",
    re.IGNORECASE,
)
"""Paths and packages of the programs that log here; every other frame is a library's."""

_JAVA = re.compile(
    r"^(?:Caused by: |Exception in thread \S+ )?(?P<type>(?:\w+\.)+[A-Z][\w$]*)(?:: (?P<text>[^\n]*))?$", re.MULTILINE
)
_JAVA_FRAME = re.compile(r"^\s*at (?P<function>[\w.$<>]+)\((?P<path>[\w.]+):(?P<line>\d+)\)", re.MULTILINE)
_JAVA_LIBRARY = ("java.", "javax.", "jdk.", "sun.", "org.apache.commons", "org.springframework", "com.sun.")
_OCAML = re.compile(
    r"(?:exception:? |raised(?: exception)? |Raised )(?P<type>[A-Z]\w*(?:\.[A-Za-z]\w*)*)"
    r"(?P<text>\((?:[^()\n]|\([^()\n]*\)){0,300}\))?"
)
_OCAML_FRAME = re.compile(
    r"(?:Raised (?:by primitive operation )?at|Called from)(?: (?P<function>[\w.]+) in)? "
    r"file \"?(?P<path>[\w./-]+\.ml)\"?(?: \(inlined\))?, line (?P<line>\d+)"
)
_UNIX = re.compile(r"\((?:Unix\.)?E[A-Z0-9]+, ?\"(?P<call>\w+)\", ?\"(?P<what>[^\"]*)\"\)")
_PERL_PLACE = re.compile(r" at (?P<path>/[\w./+-]+) line (?P<line>\d+)(?:\.|, <)")
_PERL_SHORTEST, _PERL_LONGEST = 3, 200
"""Characters of what it says before its place."""
_SHELL = re.compile(
    r"(?P<path>/[\w./+-]+): (?:line )?(?P<line>\d+): (?:(?P=path): )?(?P<call>[^\n:]{1,120}): (?P<text>[^\n]{3,160})"
)


def exception_in(text: str) -> ExceptionText | None:
    """The exception in a record; None where there is none."""
    text = text[:LONGEST]
    return next((found for read in _READERS if (found := read(text)) is not None), None)


def exception_fields(text: str) -> dict[str, str]:
    """The fields that a signature with `exception: true` gets beside what it captures."""
    found = exception_in(text)
    if found is None:
        return {}
    fields = {"exception": found.type, "message": found.message, "frame": found.frame, "call": found.call}
    return {name: value for name, value in fields.items() if value}


def _python(text: str) -> ExceptionText | None:
    frames = list(FRAME_LINE.finditer(text))
    if not frames:
        return None
    last = next((m for line in _lines_after(text, frames[-1].end()) if (m := FINAL_LINE.match(line))), None)
    if last is None:
        return None
    own = next((f for f in reversed(frames) if _OWN.search(f["path"])), frames[-1])
    code = next(_lines_after(text, own.end()), "").strip()
    where = f"{own['path']}:{own['line']}" + (f" in {own['function'].strip()}" if own["function"] else "")
    called = "" if FINAL_LINE.match(code) or code.startswith("File ") else code
    return ExceptionText(last["type"].rpartition(".")[2], (last["text"] or "").strip(), where, called)


def _lines_after(text: str, at: int) -> Iterator[str]:
    return iter([line.strip() for line in text[at:].split("\n")[1:] if line.strip()])


def _java(text: str) -> ExceptionText | None:
    frames = list(_JAVA_FRAME.finditer(text))
    causes = [m for m in _JAVA.finditer(text) if frames and m.start() < frames[-1].start()]
    if not causes:
        return None
    cause = causes[-1]
    below = [frame for frame in frames if frame.start() > cause.start()]
    own = next((f for f in below if not f["function"].startswith(_JAVA_LIBRARY)), below[0])
    where = f"{own['path']}:{own['line']} in {own['function']}"
    return ExceptionText(cause["type"].rpartition(".")[2], (cause["text"] or "").strip(), where, below[0]["function"])


def _ocaml(text: str) -> ExceptionText | None:
    raised = _OCAML.search(text)
    if raised is None:
        return None
    at, unix = _OCAML_FRAME.search(text), _UNIX.search(text)
    where = "" if at is None else f"{at['path']}:{at['line']}" + (f" in {at['function']}" if at["function"] else "")
    called = "" if unix is None else f"{unix['call']} {unix['what']}".strip()
    return ExceptionText(raised["type"], (raised["text"] or "").strip("()"), where, called)


def _shell(text: str) -> ExceptionText | None:
    found = _SHELL.search(text)
    return found and ExceptionText("shell", found["text"].strip(), f"{found['path']}:{found['line']}", found["call"])


def _perl(text: str) -> ExceptionText | None:
    """The place is looked for first: every sentence might be the words before it."""
    for place in _PERL_PLACE.finditer(text):
        line = text.rfind("\n", 0, place.start()) + 1
        words = text[max(line, place.start() - _PERL_LONGEST) : place.start()]
        if len(words) >= _PERL_SHORTEST:
            return ExceptionText("die", words.strip(), f"{place['path']}:{place['line']}")
    return None


_READERS: tuple[Callable[[str], ExceptionText | None], ...] = (_python, _java, _ocaml, _shell, _perl)
"""In order: a Python traceback names files as no other does, and a die of Perl reads like any sentence."""
