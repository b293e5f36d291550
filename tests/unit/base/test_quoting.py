"""Logs in answers to mail."""

from xenwatch.base.quoting import unquoted


def test_the_marks_of_two_quotings_are_taken_away():
    assert unquoted(b"> > (XEN) one\n> >   two\n>\n> > (XEN) three\n") == b"(XEN) one\n  two\n\n(XEN) three\n"


def test_lines_stay_where_they_were():
    text = b"> one\n>\n\n> > two\nthree\n"
    assert unquoted(text).count(b"\n") == text.count(b"\n")


def test_a_log_in_which_a_line_starts_so_is_left_alone():
    text = b"one\n> two\nthree\n"
    assert unquoted(text) == text


def test_text_without_a_mark_is_the_very_same():
    text = b"(XEN) one\n"
    assert unquoted(text) is text
