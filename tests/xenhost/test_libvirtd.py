"""libvirtd stopped for a minute: scrapes go on and say so, nothing leaks, and it is found again when it goes on."""

import time

import pytest
import table
from machine import Machine

pytestmark = pytest.mark.xenhost
STOPPED_SECONDS = 60
BACK_SECONDS = 90
MOST_MORE_FILES = 10
UP = ("xenwatch_source_up", frozenset({("source", "libvirt")}))
DOMAINS_READ = ("xenwatch_collector_last_success_timestamp_seconds", frozenset({("collector", "domain")}))
AGENT = "systemctl show -P MainPID xenwatch"


def test_scrapes_go_on_while_libvirtd_is_stopped_and_it_is_found_again(host: Machine) -> None:
    _until(host, up=1.0, seconds=BACK_SECONDS)
    agent, files = host.run(AGENT).stdout, _files(host)
    host.run("kill -STOP $(pidof libvirtd)")
    began, read = time.monotonic(), list[float]()
    while time.monotonic() - began < STOPPED_SECONDS:
        read.append(table.series(table.scrape(host))[DOMAINS_READ])
        time.sleep(5)
    said = table.series(table.scrape(host))
    assert said[UP] == 0
    assert read[-1] - read[0] > STOPPED_SECONDS / 2, "Xen itself is still asked"
    host.run("kill -CONT $(pidof libvirtd)")
    _until(host, up=1.0, seconds=BACK_SECONDS)
    assert host.run(AGENT).stdout == agent
    assert _files(host) <= files + MOST_MORE_FILES


def _until(host: Machine, *, up: float, seconds: float) -> None:
    end = time.monotonic() + seconds
    while table.series(table.scrape(host)).get(UP) != up:
        assert time.monotonic() < end, f"libvirt was not seen as {'up' if up else 'down'} within {seconds:.0f} s"
        time.sleep(3)


def _files(host: Machine) -> int:
    return int(host.run(f"ls /proc/$({AGENT})/fd | wc -l").stdout)
