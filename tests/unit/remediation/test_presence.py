"""I1 to I7: one guest runs at most once, whatever the hosts answer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_host import WEB, StoryClock
from simulated_reads import HEADER
from simulated_xen import World
from story import Story

from xenwatch.remediation.machine.port import Answer
from xenwatch.remediation.machine.presence import aliases, copies_of, parse_listing, presence, prove_absent

SHARED = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}
LISTING = HEADER + (
    "Domain-0                                     0  1024     2     r-----     456.3 "
    "00000000-0000-0000-0000-000000000000        -\n"
    f"web                                          3   128     1     -b----      10.1 {WEB}        -\n"
)
STATES = {
    "absent": {},
    "running": {"web": "running"},
    "paused": {"web": "paused"},
    "silent": {"silent": True},
    "garbled": {"garbled": True},
}


@pytest.mark.parametrize(("here", "there"), list(itertools.product(STATES, STATES)))
async def test_i01_a_guest_is_started_only_when_every_host_says_absent(tmp_path, here, there):
    story = Story(tmp_path, {"hosts": {"xen1": STATES[here], "xen2": STATES[there]}, "web": SHARED})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    started = [words for words in story.world.effects if "create" in words]
    assert bool(started) == (here == there == "absent")
    story.service.close()


async def test_i01_a_guest_goes_on_only_when_it_runs_nowhere_else(tmp_path):
    world = {"hosts": {"xen1": {"web": "paused"}, "xen2": {"silent": True}}, "web": SHARED}
    story = Story(tmp_path, world)
    await story.play([{"request": {"action": "domain_unpause"}}])
    assert "location is unknown" in story.refusals[0]
    story.service.close()


@given(cut=st.integers(0, len(LISTING)), junk=st.text(max_size=30), code=st.sampled_from([0, 1, 255, None]))
def test_i02_what_is_not_a_whole_listing_is_unknown(cut, junk, code):
    answer = Answer(code, LISTING[:cut] + junk + LISTING[cut:])
    rows = parse_listing(answer)
    if rows is None:
        assert presence(rows, "web", WEB) == "unknown"
    else:
        assert code == 0
        assert any(row.domid == 0 and row.name == "Domain-0" for row in rows)


@pytest.mark.parametrize("text", ["", HEADER, LISTING.replace("Domain-0", "Domain-1"), "error: xl failed\n" + LISTING])
def test_i02_empty_output_or_no_domain_0_is_unknown(text):
    assert parse_listing(Answer(0, text)) is None


@pytest.mark.parametrize("row", [LISTING.splitlines()[2].replace("web", "   "), LISTING.splitlines()[2][:-30]])
def test_i02_a_row_without_its_name_or_cut_in_its_uuid_makes_the_listing_unknown(row):
    assert parse_listing(Answer(0, LISTING + row + "\n")) is None


def test_i02_a_whole_listing_is_read():
    rows = parse_listing(Answer(0, LISTING))
    assert rows is not None
    assert presence(rows, "web", None) == "running"
    assert presence(rows, "mail", None) == "absent"


@pytest.mark.parametrize("gone_for", [0.5, 2.0, 6.0, 9.0])
async def test_i03_a_guest_that_vanishes_while_it_reboots_is_not_absent(gone_for):
    clock = StoryClock()
    world = World(clock)
    clock.later(gone_for, lambda: world.place("xen1", "web") and None)
    proof = await prove_absent(world, clock, [""], name="web", uuid=WEB)
    assert proof.presence == "running"


async def test_i03_a_guest_unseen_over_ten_seconds_is_absent():
    clock = StoryClock()
    before = clock.monotonic()
    proof = await prove_absent(World(clock), clock, [""], name="web", uuid=WEB)
    assert proof.presence == "absent"
    assert clock.monotonic() - before >= 10.0


async def test_i03_no_host_at_all_is_unknown_not_absent():
    clock = StoryClock()
    assert (await prove_absent(World(clock), clock, [], name="web", uuid=WEB)).presence == "unknown"


@pytest.mark.parametrize("name", ["web", "web--incoming", "web--migratedaway", "migrating-web"])
def test_i04_every_name_of_a_migration_is_the_guest(name):
    rows = parse_listing(Answer(0, LISTING.replace("web  ", f"{name}  ", 1).replace(WEB, "-")))
    assert rows is not None
    assert presence(rows, "web", WEB) == "running"
    assert name in aliases("web")


def test_i04_the_uuid_alone_is_the_guest_and_a_similar_name_is_not():
    rows = parse_listing(Answer(0, LISTING.replace("web  ", "other", 1)))
    assert rows is not None
    assert [row.name for row in copies_of(rows, "web", WEB)] == ["other"]
    assert copies_of(rows, "web2", "55555555-5555-4555-8555-555555555555") == ()


async def test_i05_nothing_is_resumed_while_an_xl_may_live(tmp_path):
    story = Story(tmp_path, {"hosts": {"faults": {"kill": {"how": "lies"}}}, "web": SHARED})
    story.world.leave("web", "suspended", "incoming")
    story.world.hosts["xen2"].processes[60] = "xl migrate-receive"
    recover = {"action": "recover_interrupted_migration", "params": {"to": "xen2"}}
    await story.play([{"request": recover}, {"approve": "human:bob"}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["unknown"]
    assert story.world.effects == ["[xen2] kill -KILL 60"]
    story.service.close()


OWNERS = {
    "pacemaker": {"daemons": ["pacemakerd"], "files": {"crm": "web:0\n"}},
    "xapi": {"daemons": ["xapi"]},
    "ganeti": {"files": {"/etc/xen/web.cfg": "# this is autogenerated by Ganeti, please do not edit\nname = 'web'\n"}},
    "libvirt": {"files": {"/etc/libvirt/libxl/autostart/web.xml": "x"}},
    "xendomains": {"files": {"/etc/xen/auto/web.cfg": "x"}},
}


@pytest.mark.parametrize("owner", OWNERS)
async def test_i06_a_guest_of_another_owner_is_left_alone(tmp_path, owner):
    story = Story(tmp_path, {"hosts": {"xen1": OWNERS[owner]}})
    await story.play([{"incident": "guest-down"}, {"tick": 2}, {"request": {"action": "domain_start"}}])
    assert story.world.effects == []
    assert "owner is fail" in story.refusals[0]
    story.service.close()


@pytest.mark.parametrize("said", [{"owner": "ops"}, {"tags": ["auto", "xenwatch=off"]}])
async def test_i06_a_guest_the_policy_gives_away_is_left_alone(tmp_path, said):
    story = Story(tmp_path, {"web": said})
    await story.play([{"incident": "guest-down"}, {"tick": 2}])
    assert story.world.effects == []
    story.service.close()


@pytest.mark.parametrize("lease", ["", "none", "sanlock", "lvm", "virtlockd"])
async def test_i07_shared_storage_needs_a_lease_or_its_acknowledged_absence(tmp_path, lease):
    story = Story(tmp_path, {"web": SHARED | {"lease": lease}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    assert (story.world.running("web") == 1) == (lease != "")
    story.service.close()
