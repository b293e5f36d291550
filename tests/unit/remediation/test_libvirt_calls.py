"""The libvirt calls of the catalogue against libvirt's own test driver."""

import libvirt
import pytest
from hosts.node import UUID, own_node

from xenwatch.remediation.machine.libvirt_calls import CALLS, call
from xenwatch.remediation.machine.port import Answer


@pytest.fixture
def connection(tmp_path):
    libvirt.registerErrorHandler(lambda *_: None, None)
    opened = libvirt.open(own_node(tmp_path))
    yield opened
    opened.close()


def state(connection) -> int:
    return connection.lookupByUUIDString(UUID).state()[0]


def test_a_guest_is_destroyed_and_created(connection):
    assert call(connection, ("libvirt:destroy", UUID)) == Answer(0)
    assert state(connection) == libvirt.VIR_DOMAIN_SHUTOFF
    assert call(connection, ("libvirt:create", UUID)) == Answer(0)
    assert state(connection) == libvirt.VIR_DOMAIN_RUNNING


def test_a_guest_is_suspended_and_resumed(connection):
    assert call(connection, ("libvirt:suspend", UUID)).ok
    assert state(connection) == libvirt.VIR_DOMAIN_PAUSED
    assert call(connection, ("libvirt:resume", UUID)).ok
    assert state(connection) == libvirt.VIR_DOMAIN_RUNNING


def test_memory_is_set_in_kib(connection):
    assert call(connection, ("libvirt:set_memory", UUID, "524288")).ok
    assert connection.lookupByUUIDString(UUID).info()[2] == 524288


@pytest.mark.parametrize("word", ["shutdown", "reboot"])
def test_a_guest_is_asked_to_go(connection, word):
    assert call(connection, (f"libvirt:{word}", UUID)).ok


def test_what_libvirt_refuses_is_an_answer_with_its_words(connection):
    answer = call(connection, ("libvirt:create", UUID))
    assert answer.code == 1
    assert "already running" in answer.err


def test_a_guest_that_is_not_there_is_an_answer(connection):
    assert not call(connection, ("libvirt:destroy", "00000000-0000-4000-8000-000000000000")).ok


def test_nothing_that_deletes_a_definition_is_in_the_table():
    assert not {"undefine", "migrate", "save"} & set(CALLS)
