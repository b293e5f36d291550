"""An exception is one shape in every language, also where a mail or a forum has torn it."""

import re

import pytest

from xenwatch.diagnosis.matching.exceptions import exception_in
from xenwatch.diagnosis.matching.tracebacks import tracebacks
from xenwatch.model.record import LogFormat

PRINTED = """Traceback (most recent call last):
  File "/usr/lib/xen-4.1/bin/pygrub", line 731, in <module>
    chosencfg = run_grub(file, entry, fs, incfg["args"])
  File "/usr/lib/xen-4.1/bin/pygrub", line 607, in run_grub
    g = Grub(file, fs)
  File "/usr/lib/python2.6/fsimage.py", line 12, in open
    return _open(name)
IOError: [Errno 95] Operation not supported"""


def test_python_tells_the_innermost_own_frame_and_the_call_in_it():
    assert exception_in(PRINTED) == (
        "IOError",
        "[Errno 95] Operation not supported",
        "/usr/lib/xen-4.1/bin/pygrub:607 in run_grub",
        "g = Grub(file, fs)",
    )


def test_java_tells_the_last_cause():
    text = (
        "com.cloud.exception.AgentUnavailableException: Resource [Host:1] is unreachable\n"
        "\tat com.cloud.vm.VirtualMachineManagerImpl.start(VirtualMachineManagerImpl.java:745)\n"
        "Caused by: com.xensource.xenapi.Types$HandleInvalid: The object is gone\n"
        "\tat java.lang.Thread.run(Thread.java:679)\n"
        "\tat com.xensource.xenapi.VM.start(VM.java:512)\n"
    )
    found = exception_in(text)
    assert found[:3] == ("Types$HandleInvalid", "The object is gone", "VM.java:512 in com.xensource.xenapi.VM.start")


def test_ocaml_tells_the_call_of_a_unix_error():
    text = (
        'Fatal error: exception Unix.Unix_error(Unix.ENOENT, "open", "/var/run/xenstored")\n'
        'Raised at file "tools/ocaml/xenstored/utils.ml", line 84, characters 4-20\n'
    )
    found = exception_in(text)
    assert (found.type, found.call) == ("Unix.Unix_error", "open /var/run/xenstored")
    assert found.frame == "tools/ocaml/xenstored/utils.ml:84"


@pytest.mark.parametrize(
    ("text", "message", "frame"),
    [
        ("/etc/xen/x: line 45: losetup: command not found", "command not found", "/etc/xen/x:45"),
        ("/etc/xen/vif-nat: 62: /etc/xen/vif-nat: brctl: not found", "not found", "/etc/xen/vif-nat:62"),
        ("No such kernel at /usr/bin/xen-create-image line 512.", "No such kernel", "/usr/bin/xen-create-image:512"),
    ],
)  # fmt: skip
def test_shell_and_perl_tell_the_line(text, message, frame):
    found = exception_in(text)
    assert (found.message, found.frame) == (message, frame)


@pytest.mark.parametrize(
    "text", ["all is well", "Error: Device 0 (vif) could not be connected.", 'File "x.py" is gone']
)
def test_what_is_no_exception_gives_none(text):
    assert exception_in(text) is None


def _one(text):
    (found,) = tracebacks(text.encode())
    return found.text


def test_a_traceback_as_it_was_printed_stays_as_it_is():
    assert _one(PRINTED) == PRINTED


TORN = {
    "lost indentation": "\n".join(line.strip() for line in PRINTED.split("\n")),
    "empty lines between": PRINTED.replace("\n", "\n\n"),
    "a quote in a mail": "\n".join(f"> {line.strip()}" for line in PRINTED.split("\n")),
    "a stamp before each line": "\n".join(
        f"Jan  5 10:01:0{n} host SM: [4711] {line}" for n, line in enumerate(PRINTED.split("\n"))
    ),
    "wrapped lines": PRINTED.replace(", line 731, in <module>", ",\nline 731, in <module>").replace(
        "    g = Grub", "    g =\nGrub"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TORN)
def test_a_torn_traceback_comes_out_as_it_was_printed(how):
    assert _one(f"before\n{TORN[how]}\nafter: all is well\n") == PRINTED


def test_lines_of_another_program_end_a_stamped_traceback():
    lines = PRINTED.split("\n")
    text = f"Jan  5 10:01:01 host SM: [1] {lines[0]}\nJan  5 10:01:01 host cron: Error: no\n{lines[-1]}\n"
    assert list(tracebacks(text.encode())) == []


def test_a_signature_reads_a_torn_traceback_and_fires_once(kit):
    rule = kit.one(r'File "[^"\n]*/pygrub"[^\n]*\n(?:[^\n]*\n){0,12}IOError', exception=True)
    for text in (PRINTED, *TORN.values()):
        events = kit.feeder(rule).feed(text + "\n", kit.plain, final=True)
        assert [(e.fields["exception"], e.fields["call"]) for e in events] == [("IOError", "g = Grub(file, fs)")]


def test_what_a_guest_wrote_is_never_put_together(kit):
    rule = kit.one('File "[^"\n]*/pygrub"[^\n]*\n(?:[^\n]*\n){0,12}IOError', streams=["console"])
    assert kit.feeder(rule).feed(TORN["empty lines between"] + "\n", kit.console, final=True) == []


def test_nor_is_what_the_host_only_repeats_of_a_guest(kit):
    rule = kit.one('File "[^"\n]*/pygrub"[^\n]*\n(?:[^\n]*\n){0,12}IOError')
    trace = LogFormat("xenstored", "a trace", guest_text=re.compile(r"WRITE \((.*)\)"))
    torn = "".join(f"IN 7 WRITE ({line})\n" for line in PRINTED.split("\n"))
    assert kit.feeder(rule).feed(torn, trace, final=True) == []
