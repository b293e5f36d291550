"""Chunks in, events out: each match once, whole records, the right time, and nothing from a guest's mouth."""

import pytest

from xenwatch.model.record import LONGEST_RECORD, Position
from xenwatch.model.subject import HOST, Subject

TRACE = "[5] ERROR (x) failed\nTraceback (most recent call last):\n  File x\nVmError: Device 0 (vif) broke\n"


def test_a_match_on_the_first_line_is_told_before_the_record_is_complete(kit):
    feeder = kit.feeder(kit.one("disk (?P<device>xvd[a-z]) is gone"))
    [event] = feeder.feed("[5] ERROR disk xvda is gone\n")
    assert (event.kind, event.at, dict(event.fields)) == ("a-rule", 5.0, {"device": "xvda"})
    assert event.record.text == "disk xvda is gone"


@pytest.mark.parametrize("cut", range(1, len(TRACE)))
def test_a_traceback_that_arrives_in_pieces_matches_once(kit, cut):
    cut = TRACE.find("\n", cut) + 1
    feeder = kit.feeder(kit.one(r"\) failed[\s\S]*VmError: Device (?P<device>\d+)"))
    events = feeder.feed(TRACE[:cut]) + feeder.feed(TRACE[cut:]) + feeder.feed("[6] INFO on\n[7] INFO on\n")
    assert [e.fields["device"] for e in events] == ["0"]


def test_a_record_that_grows_does_not_tell_its_first_line_again(kit):
    feeder = kit.feeder(kit.one("failed"))
    events = [e for line in TRACE.splitlines(keepends=True) for e in feeder.feed(line)]
    assert len(events) == 1


def test_two_equal_records_are_two_events(kit):
    feeder = kit.feeder(kit.one("it broke"))
    assert len(feeder.feed("[1] INFO it broke\n[2] INFO it broke\n")) == 2


def test_the_same_position_of_a_rotated_file_is_another_record(kit):
    feeder = kit.feeder(kit.one("it broke"))
    feeder.feed("[1] INFO it broke\n")
    feeder._offsets.clear()
    chunk_before = feeder.scanner.state()["sources"]["a.log"]["position"]
    assert chunk_before[0] == "g"
    assert len(feeder.feed("[1] INFO it broke\n")) == 1


@pytest.mark.parametrize("next_line", ["libxl: debug: it goes on\n", "  of a record that goes on\n"])
def test_a_rotated_file_that_ends_meanwhile_does_not_make_the_open_record_count_again(kit, next_line):
    """A renamed file is given up a minute after it was renamed: the log's own file has long been written on."""
    feeder = kit.feeder(kit.one("it broke"))
    seen = feeder.feed("libxl: error: it broke\n", kit.xl)
    seen += feeder.end("a.log", "the file before", kit.xl)
    seen += feeder.feed(next_line, kit.xl)
    assert len(seen) == 1


def test_a_rotated_file_that_ends_meanwhile_does_not_make_an_open_error_unknown(kit):
    feeder = kit.feeder(kit.one("known trouble"))
    feeder.feed("[1] ERROR first line\n")
    feeder.end("a.log", "the file before", kit.dated)
    feeder.feed("known trouble\n[2] INFO next\n")
    assert list(feeder.scanner.unread.latest()) == []


def test_what_was_told_is_not_told_again_after_a_restart(kit):
    rule = kit.one("failed")
    feeder = kit.feeder(rule)
    feeder.feed(TRACE.splitlines(keepends=True)[0])
    state = feeder.scanner.state()
    feeder.scanner = kit.feeder(rule).scanner
    feeder.scanner.restore(state)
    assert feeder.feed(TRACE.split("\n", 1)[1]) == []


def test_a_match_never_spans_two_records(kit):
    feeder = kit.feeder(kit.one(r"begin[^x]*end"))
    assert feeder.feed("[1] INFO begin\n[2] INFO end\n") == []
    assert len(feeder.feed("[3] INFO begin\nend\n")) == 1


def test_an_anchor_means_the_start_of_the_message(kit):
    feeder = kit.feeder(kit.one("^disk gone"))
    assert len(feeder.feed("[1] INFO disk gone\n[2] INFO a disk gone\n")) == 1


def test_an_undated_record_takes_the_time_before_it_and_says_so(kit):
    feeder = kit.feeder(kit.one("lonely line"))
    [early] = feeder.feed("lonely line\n", kit.plain, path="p")
    assert (early.at, early.record.logged) == (kit.near, False)
    feeder.feed("[42] INFO dated\n", path="q")
    [late] = feeder.feed("lonely line\n", path="q")
    assert (late.at, late.record.logged) == (42.0, True)


def test_a_header_that_says_no_time_takes_that_of_the_record_before(kit):
    feeder = kit.feeder(kit.one("lonely line"))
    feeder.feed("[42] INFO dated\n", kit.dated, path="q")
    [event] = feeder.feed("lonely line\n", kit.plain, path="q")
    assert (event.at, event.record.logged) == (42.0, False)


def test_lines_are_counted_from_where_the_chunk_stands(kit):
    feeder = kit.feeder(kit.one("it broke"))
    events = feeder.feed("[1] INFO a\n[2] INFO it broke\nmore\n[3] INFO it broke\n", line=101)
    assert [e.record.position for e in events] == [Position("g", 11, 102), Position("g", 34, 104)]


def test_lines_stay_zero_where_nobody_counted(kit):
    [event] = kit.feeder(kit.one("it broke")).feed("[1] INFO a\n[2] INFO it broke\n")
    assert event.record.position.line == 0


def test_windows_newlines_and_bad_bytes_do_not_hide_a_match(kit):
    feeder = kit.feeder(kit.one(r"gone\nfor good: (?P<device>[^\n]+)"))
    [event] = feeder.feed(b"[1] INFO gone\r\nfor good: a\xff\xfeb\r\n")
    assert event.fields["device"] == "a\ufffd\ufffdb"


def test_a_line_of_megabytes_is_looked_at_in_bounds_and_nothing_behind_it_is_lost(kit):
    feeder = kit.feeder(kit.one("needle here"))
    giant = "[1] INFO " + "x" * (5 * LONGEST_RECORD) + "needle here" + "x" * (5 * LONGEST_RECORD) + "\n"
    events = feeder.feed(giant + "[2] INFO needle here\n")
    assert len(events) == 2
    assert all(len(e.record.text) <= 2 * LONGEST_RECORD for e in events)


def test_where_decides_over_the_captured_fields(kit):
    rule = kit.one("bridge (?P<bridge>[a-z0-9]+) missing", where='fields.bridge != "none"')
    feeder = kit.feeder(rule)
    events = feeder.feed("[1] INFO bridge none missing\n[2] INFO bridge xenbr0 missing\n")
    assert [e.fields["bridge"] for e in events] == ["xenbr0"]


def test_a_signature_is_not_looked_for_in_streams_it_does_not_name(kit):
    rule = kit.one("it broke", streams=["xend"])
    assert kit.feeder(rule).feed("(XEN) it broke\n", kit.ring) == []
    assert len(kit.feeder(rule).feed("[1] INFO it broke\n")) == 1


def test_people_paste_anything_into_captured_text(kit):
    assert len(kit.feeder(kit.one("it broke", streams=["xend"])).feed("it broke\n", kit.plain)) == 1


def test_a_guests_console_is_not_seen_by_rules_about_the_host(kit):
    feeder = kit.feeder(kit.one("VG (?P<vg>\\S+) is gone", more="subject: vg\n"))
    assert feeder.feed("VG data is gone\n", kit.console, subject=Subject("domain", "evil")) == []


def test_a_guest_speaks_of_itself_alone(kit):
    rule = kit.one("domain (?P<domain>\\S+) panicked", more="subject: domain\n", streams=["console"])
    [event] = kit.feeder(rule).feed("domain victim panicked\n", kit.console, subject=Subject("domain", "evil"))
    assert event.subject == Subject("domain", "evil")


def test_a_guests_line_in_the_hosts_log_is_a_guests_line(kit):
    host = kit.one("crash of (?P<domain>\\S+)", "host-rule", "subject: domain\n")
    guest = kit.one("crash of (?P<domain>\\S+)", "guest-rule", "subject: domain\n", streams=["console"])
    events = kit.feeder(host, guest).feed("(XEN) (d7) crash of victim\n(XEN) crash of web\n", kit.ring)
    assert [(e.rule, str(e.subject), e.subject.domid) for e in events] == [
        ("guest-rule", "domain/7", 7),
        ("host-rule", "domain/web", None),
    ]


def test_a_quiet_rule_hushes_the_record_for_rules_no_louder(kit):
    quiet = kit.rule('noise: harmless\nseverity: warning\nsignatures: [{regex: "odd but fine"}]\n', "quiet")
    weak = kit.rule('severity: warning\nsignatures: [{regex: "odd"}]\n', "weak")
    loud = kit.rule('severity: critical\nsignatures: [{regex: "odd"}]\n', "loud")
    feeder = kit.feeder(quiet, weak, loud)
    assert [e.rule for e in feeder.feed("[1] INFO odd but fine\n")] == ["loud"]
    assert {e.rule for e in feeder.feed("[2] INFO odd\n")} == {"weak", "loud"}


def test_error_records_that_no_rule_knows_are_kept(kit):
    quiet = kit.rule('noise: harmless\nsignatures: [{regex: "known noise"}]\n', "quiet")
    feeder = kit.feeder(kit.one("known trouble"), quiet)
    feeder.feed("[1] ERROR known trouble\n[2] ERROR known noise\n[3] ERROR strange thing\n[4] INFO strange\n[5] INFO\n")
    assert [r.text for r in feeder.scanner.unread.latest()] == ["strange thing"]
    assert feeder.scanner.unread.total == 1


def test_an_open_error_record_is_not_called_unknown_too_early(kit):
    feeder = kit.feeder(kit.one("known trouble"))
    feeder.feed("[1] ERROR first line\n")
    feeder.feed("known trouble\n")
    feeder.feed("[2] INFO next\n")
    assert list(feeder.scanner.unread.latest()) == []


def test_a_message_wrapped_by_a_mailer_is_read_as_one(kit):
    rule = kit.one(r"I need (?P<need_kib>\d+) KiB, but dom0_min_mem is (?P<min_kib>\d+) and shrinking")
    text = (
        "XendError: Error creating domain: I need 131072 KiB, but dom0_min_mem\n"
        "> is 262144 and shrinking to 262144 KiB would leave only -16932 KiB\nfree.\n"
    )
    [event] = kit.feeder(rule).feed(text, kit.plain, final=True)
    assert dict(event.fields) == {"need_kib": "131072", "min_kib": "262144"}


def test_short_lines_are_never_joined(kit):
    rule = kit.one(r"vif .*failed")
    assert kit.feeder(rule).feed("vif is fine\nsomething else failed\n", kit.plain, final=True) == []


def test_a_wrapped_message_is_not_told_twice(kit):
    line = "this message is long enough that it would have been wrapped right about here\nat the end of it\n"
    events = kit.feeder(kit.one("message is long")).feed(line, kit.plain, final=True)
    assert len(events) == 1


def test_a_record_about_nobody_belongs_to_the_logs_own_domain(kit):
    rule = kit.one("it broke", more="subject: domain\n")
    [event] = kit.feeder(rule).feed("it broke\n", kit.plain, subject=Subject("domain", "web"))
    assert event.subject == Subject("domain", "web")


def test_dom0_is_the_host(kit):
    rule = kit.one("(?P<domain>\\S+) broke", more="subject: domain\n")
    [event] = kit.feeder(rule).feed("[1] INFO Domain-0 broke\n")
    assert event.subject == HOST


def test_sources_forgotten_for_space_do_not_grow_the_state(kit, monkeypatch):
    monkeypatch.setattr("xenwatch.diagnosis.matching.scanner.MOST_SOURCES", 3)
    feeder = kit.feeder(kit.one("x y z"))
    for number in range(10):
        feeder.feed("[1] INFO a\n", path=f"log-{number}")
    assert list(feeder.scanner.state()["sources"]) == ["log-7", "log-8", "log-9"]


def test_a_record_quoted_in_a_mail_is_one_record(kit):
    rule = kit.one(r"first of two\n second (?P<word>\w+)")
    [event] = kit.feeder(rule).feed("> > [1] ERROR first of two\n> >  second half\n", final=True)
    assert dict(event.fields) == {"word": "half"}


def test_a_line_with_a_stamp_of_its_own_is_no_rest_of_a_wrapped_one(kit):
    rule = kit.one(r"would have been wrapped right about (?:here )?there")
    line = "[1] ERROR this message is long enough that it would have been wrapped right about\n"
    assert kit.feeder(rule).feed(line + "[2] ERROR there\n", final=True) == []
