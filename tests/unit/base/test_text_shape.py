"""Messages that differ in numbers alone are of one kind; others are not."""

from xenwatch.base.text_shape import text_shape

UUID = "e7f8fafb-4e77-4adb-b244-9d4365e93af6"


def test_domids_addresses_and_uuids_make_no_difference() -> None:
    assert text_shape("Domain 5: cannot map 0xfee00000") == text_shape("Domain 17: cannot map 0xc0ffee")
    assert text_shape(f"no domain {UUID}") == text_shape("no domain 1df0cbe2-aaaa-4bbb-8ccc-0123456789ab")


def test_the_end_of_a_traceback_makes_a_difference() -> None:
    start = 'Traceback (most recent call last):\n  File "x.py", line 3\n'
    assert text_shape(start + "VmError: no memory") != text_shape(start + "KeyError: 'vif'")
