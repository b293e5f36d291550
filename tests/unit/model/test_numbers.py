"""What an error number says: the same whether it is told by number, by name or in words."""

import errno
import os

import pytest

from xenwatch.model.numbers import ERRNO, errno_in, in_words, meaning, number_fields, prior_class, xc_in


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Couldn't map the page (12 = Cannot allocate memory): Internal error", "ENOMEM"),
        ("[Errno 28] No space left on device: '/var/lib/xen/x'", "ENOSPC"),
        ("OSError: [Errno 2]", "ENOENT"),
        ("error: (13, 'Permission denied')", "EACCES"),
        ('Unix.Unix_error(Unix.ENOENT, "open", "/x")', "ENOENT"),
        ("Xen suspend failed errno=-16", "EBUSY"),
        ("java.io.IOException: Broken pipe", "EPIPE"),
        ("open /dev/x: no such device or address", "ENXIO"),
    ],
)
def test_an_errno_is_found_by_number_name_and_words(text, name):
    found = errno_in(text)
    assert found is not None
    assert found.name == name


def test_the_reason_that_is_told_last_counts():
    assert errno_in("No such file or directory, then: Permission denied").name == "EACCES"


@pytest.mark.parametrize("text", ["all is well", "error 5", "vif5.0 (id 28)", "permission", "spaceENOSPCraft"])
def test_what_names_no_errno_has_none(text):
    assert errno_in(text) is None


def test_the_table_agrees_with_the_system():
    for number, one in ERRNO.items():
        assert errno.errorcode[number] in (one.name, "EAGAIN", "EOPNOTSUPP", "ENOTSUP")
        assert os.strerror(number).lower() == one.words.lower()


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("rc", "-3", "-3 (ERROR_FAIL: the operation failed)"),
        ("errno", "-28", "-28 (ENOSPC: no space left on device)"),
        ("exit", "127", "127 (NOT_FOUND: a program was not found)"),
        ("exit", "139", "139 (SIGSEGV: ended by signal 11, segmentation fault)"),
        ("signal", "11/SEGV", "11/SEGV (SIGSEGV: segmentation fault)"),
        ("grant_status", "-13", "-13 (GNTST_no_space: the table of mappings is full)"),
        ("xc_code", "2", "2 (XC_INVALID_KERNEL: invalid kernel)"),
        ("zlib_rc", "-3", "-3 (Z_DATA_ERROR: the compressed data is damaged)"),
        ("exit", "1", "1"),
        ("errno", "no number", "no number"),
        ("device", "51712", "51712"),
    ],
)
def test_a_number_is_put_into_words_by_the_field_it_stands_in(field, text, told):
    assert in_words(field, text) == told


def test_an_rc_that_libxl_does_not_know_is_an_errno():
    assert meaning("rc", "-110").name == "ETIMEDOUT"


def test_expressions_see_the_names_of_numbers():
    assert number_fields({"exit": "127", "reason": "x: Permission denied"}) == {
        "exit_name": "NOT_FOUND",
        "errno_name": "EACCES",
    }
    assert number_fields({"errno": "12", "reason": "Permission denied"}) == {"errno_name": "ENOMEM"}


def test_only_some_numbers_speak_for_a_class():
    assert prior_class({"errno": "1"}) == ("permission-denied", "EPERM")
    assert prior_class({"reason": "Invalid argument"}) is None
    assert prior_class({"rc": "-5"}) == ("memory-insufficient-host", "ERROR_NOMEM")


LIBXC_ERROR = "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found')"


def test_the_first_of_three_is_a_number_of_libxc_and_no_errno():
    assert errno_in(LIBXC_ERROR) is None
    assert xc_in(LIBXC_ERROR).name == "XC_INVALID_KERNEL"
    assert xc_in("(2, 'No such file or directory')") is None
    assert errno_in("(2, 'No such file or directory')").name == "ENOENT"


def test_what_libxc_says_speaks_for_a_class():
    assert number_fields({"message": LIBXC_ERROR}) == {"xc_code_name": "XC_INVALID_KERNEL"}
    assert prior_class({"message": LIBXC_ERROR}) == ("kernel-image-invalid", "XC_INVALID_KERNEL")
