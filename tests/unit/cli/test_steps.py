"""The commands in a report fit the host: xm or xl, the guest's name, and what a person must replace."""

import pytest

from xenwatch.cli.report.toolstack import is_xends
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.steps import typed
from xenwatch.model.subject import HOST, UNKNOWN, Subject
from xenwatch.triage.report import FileRead, Report

WEB = Subject("domain", "web")


def report(*formats: str, facts: tuple[str, ...] = ()) -> Report:
    return Report((), tuple(FileRead(f"{form}.log", form, 1, 1) for form in formats), facts=facts)


def one(step: str, on: Report, about: Subject = WEB) -> str:
    (said,) = typed([step], about, old=is_xends(on))
    return said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("xl list", "xm list"),
        ("xl destroy web && xl create /etc/xen/web.cfg", "xm destroy web && xm create /etc/xen/web.cfg"),
        ("If it hangs: xl destroy web, then start it", "If it hangs: xm destroy web, then start it"),
    ],
)
def test_on_a_host_with_xend_the_commands_are_those_of_xm(step: str, said: str):
    assert one(step, report("xend", "hotplug")) == said
    assert one(step, report("console", facts=("xm list (xm_list.txt)",))) == said


@pytest.mark.parametrize(
    "step",
    ["xl pci-assignable-add 0:2:0.0", "xl -vvv create -c /etc/xen/web.cfg", "tail /var/log/xen/xl list", "xlist list"],
)
def test_what_xm_does_not_know_and_what_is_no_command_of_xl_stays(step: str):
    assert one(step, report("xend")) == step


@pytest.mark.parametrize("formats", [("xl",), ("xend", "libxl"), ("syslog",), ()])
def test_where_xl_is_there_or_nothing_tells_xl_it_is(formats: tuple[str, ...]):
    assert one("xl list", report(*formats)) == "xl list"


def test_the_name_of_the_guest_is_filled_in_as_one_word_for_the_shell():
    assert one("xl network-list DOMAIN", report("xl")) == "xl network-list web"
    assert one("xl network-list DOMAIN", report("xl"), Subject("domain", "a; rm -rf \\1")) == (
        "xl network-list 'a; rm -rf \\1'"
    )


@pytest.mark.parametrize("step", ["xl network-list DOMAIN", "xl network-list <domain>"])
def test_a_guest_that_nothing_names_is_left_for_the_person_to_fill_in(step: str):
    assert one(step, report("xl"), Subject("domain", UNKNOWN)) == "xl network-list DOMAIN  # replace DOMAIN"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("xl network-list DOMAIN", "xl network-list DOMAIN  # replace DOMAIN"),
        ("xl create -n CONFIG  # checks only", "xl create -n CONFIG  # checks only; replace CONFIG"),
        ("xenstore-ls /local/domain/<domid>/console", "xenstore-ls /local/domain/DOMID/console  # replace DOMID"),
        ("umount /dev/VG/LV && lvremove VG/LV", "umount /dev/VG/LV && lvremove VG/LV  # replace VG, LV"),
    ],
)
def test_what_a_person_must_replace_is_named_behind_the_command(step: str, said: str):
    assert one(step, report("xl"), HOST) == said


@pytest.mark.parametrize(
    "step",
    [
        "lsblk -o NAME,LOG-SEC",
        "dmesg | grep -e BUG: -e DOMAIN_CRASHED",
        "xl dmesg | grep -e 'PATH' -e \"VM\"",
        "echo $PATH",
    ],
)
def test_capitals_that_a_command_means_as_they_are_stay_without_a_note(step: str):
    assert one(step, report("xl"), HOST) == step


def test_sentences_stay_as_they_are():
    step = "Correct the line of DISK that the message names, see <currentMemory>."
    assert one(step, report("xl")) == step


@pytest.mark.parametrize(
    ("said", "reads"),
    [
        ("The driver of <device> stopped.", "The driver of the device stopped."),
        ("It cannot hold what was asked for (code <code>).", "It cannot hold what was asked for."),
        ("<path> could not be read.", "The path could not be read."),
        ("The disk /dev/dsk/g1 (a <file>, b) is <3.", "The disk /dev/dsk/g1 is <3."),
        ("Xen asked for bridge xenbr1 (or another).", "Xen asked for bridge xenbr1 (or another)."),
    ],
)
def test_what_no_line_named_leaves_a_sentence_that_reads_well(said: str, reads: str):
    assert without_gaps(said) == reads


def test_facts_that_no_source_gave_are_one_sentence():
    unchecked = ["bridge.names is not known here", "loop.files is not known here", "a says b"]
    assert not_checked_text(unchecked) == "bridge.names, loop.files: not in what was read; a says b"
