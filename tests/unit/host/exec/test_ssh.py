"""ssh is called in one way: it asks nobody anything, speaks to known hosts only, and quotes what is to run there."""

import shlex

from xenwatch.host.exec.ssh import ssh_argv, ssh_options


def test_every_call_refuses_to_ask_and_to_speak_to_an_unknown_host() -> None:
    assert {"-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=3"} <= set(ssh_options(3))


def test_a_word_with_blanks_and_semicolons_stays_one_word_on_the_other_side() -> None:
    *_, dashes, destination, words = ssh_argv("root@xen2", ("xl", "list", "a b; reboot"), connect_seconds=3)
    assert (dashes, destination, shlex.split(words)) == ("--", "root@xen2", ["xl", "list", "a b; reboot"])


def test_further_options_come_first_and_so_win() -> None:
    assert ssh_argv("old1", ("true",), connect_seconds=3, options=("-F", "x"))[:3] == ("ssh", "-F", "x")
