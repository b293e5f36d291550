"""Facts in a captured terminal: tables between what was typed."""

import pytest

from xenwatch.facts.pasted import pasted_facts

TERMINAL = """root@xen1:~# xm list
Name                                        ID   Mem VCPUs      State   Time(s)
Domain-0                                     0  6828     1     r-----     76.4
vps01                                       12   256     1     ---s--      8.8
root@xen1:~# brctl show
bridge name     bridge id               STP enabled     interfaces
xenbr0          8000.feffffffffff       no              vif0.0
                                                        peth0

root@xen1:~# xm create web.cfg
Error: Device 0 (vif) could not be connected. Hotplug scripts not working.
"""


def facts(text: str) -> dict[tuple[str, str], object]:
    return {(fact.name, str(fact.subject)): fact.value for fact in pasted_facts(text, 0.0, "paste")}


def test_each_table_ends_at_the_next_prompt() -> None:
    found = facts(TERMINAL)
    assert found["domain.names", "host/dom0"] == ("Domain-0", "vps01")
    assert found["bridge.names", "host/dom0"] == ("xenbr0",)


def test_text_without_a_table_has_no_facts() -> None:
    assert facts("root@xen1:~# xm create web.cfg\nError: Domain 'web' does not exist.\n") == {}


def test_a_table_cut_by_hand_proves_nothing() -> None:
    assert facts("Name  ID Mem\nvps01 twelve ---\n") == {}


INFO = """\
{0} xl info
host                   : xen1
xen_major              : 4
xen_minor              : 17
total_memory           : 8000
{0} xl create web.cfg
free_memory            : 1
"""


@pytest.mark.parametrize("prompt", ["root@xen1:~#", "[root@xen1 ~]$", "#", "root@xen1>"])
def test_what_one_command_printed_is_read_once_and_ends_at_any_shells_prompt(prompt: str) -> None:
    names = [fact.name for fact in pasted_facts(INFO.format(prompt), 0.0, "paste")]
    assert names.count("memory.total_bytes") == 1
    assert "memory.free_bytes" not in names
