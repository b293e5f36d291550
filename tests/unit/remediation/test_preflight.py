"""P1 to P24: each check says no when its one thing is wrong, and cannot tell when it is not answered."""

import pytest
from simulated_host import CONFIG
from story import Story

from xenwatch.remediation.action import Context
from xenwatch.remediation.checks import worst
from xenwatch.remediation.machine.port import Answer
from xenwatch.remediation.preflight.create import check_create
from xenwatch.remediation.preflight.migrate import check_migrate

SHARED = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}
UP = {"xen1": {"web": "running"}}
HVM = CONFIG.format(name="web", kind="hvm", nth=1)


async def findings(tmp_path, world, check=check_migrate, prepare=None):
    story = Story(tmp_path, {"web": SHARED, **world})
    if prepare is not None:
        prepare(story.world)
    guest = story.service.policy.inventory.guests[0]
    context = Context(
        story.world, story.clock, story.service.policy, guest.subject, guest, {"to": "xen2"}, approved=True
    )
    found = await check(context)
    story.service.close()
    return found


async def test_with_nothing_wrong_every_check_holds(tmp_path):
    found = await findings(tmp_path, {"hosts": UP})
    assert {f.outcome for f in found} == {"pass"}
    said = " ".join(f.check for f in found)
    for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24):
        assert f"P{number}" in said, f"P{number} was not asked"


def target(**more):
    return {"hosts": {**UP, "xen2": more}}


def source(**more):
    return {"hosts": {"xen1": {"web": "running", **more}}}


WRONG = {
    "P1 target": {"hosts": UP, "web": SHARED | {"placement": ["xen1"]}},
    "P1 not cordoned": target(files={"/var/lib/xenwatch-effects/cordoned": " "}),
    "P2 stable": {"hosts": {"xen1": {"web": "paused"}}},
    "location": target(web="running"),
    "owner": source(daemons=["xapi"]),
    "P4 same file": target(files={"/etc/xen/web.cfg": "other"}),
    "P6 Xen version": target(info={"xen_minor": "19"}),
    "P7 guest type": target(info={"xen_caps": "hvm-3.0-x86_64"}),
    "P8 vendor": target(files={"/proc/cpuinfo": "vendor_id\t: AuthenticAMD\n"}),
    "P9 P10 features": target(info={"hw_caps": "bfebfbff:77faf3fe"}),
    "P11 memory": target(free_mib=1000),
    "P12 processors": target(info={"nr_cpus": "0"}),
    "P13 bridge": target(bridges={"xenbr0": {"flags": []}}),
    "P13 MTU": target(bridges={"xenbr0": {"mtu": 9000}}),
    "P15 same storage": target(disks={"/dev/vg0/web": {"serial": "other"}}),
    "P15 free on target": target(disks={"/dev/vg0/web": {"serial": "LVM-web", "held": {"/dev/mapper/web1": None}}}),
    "P16 lease hand-over": {"hosts": UP, "web": SHARED | {"lease": "sanlock"}},
    "P20 right machine": target(files={"/etc/machine-id": "stranger\n"}),
    "P21 duration": {"hosts": UP, "remediation": {"migrate_timeout": "5s"}},
}


@pytest.mark.parametrize("check", WRONG)
async def test_one_thing_wrong_is_one_check_that_fails(tmp_path, check):
    found = await findings(tmp_path, WRONG[check])
    assert "fail" in [f.outcome for f in found if f.check == check], [f for f in found if not f.holds]
    assert worst(found) == "fail"


async def test_a_bridge_that_is_missing_at_the_target_fails(tmp_path):
    def without(world):
        world.hosts["xen2"].bridges.clear()

    found = await findings(tmp_path, {"hosts": UP}, prepare=without)
    assert "fail" in [f.outcome for f in found if f.check == "P13 bridge"]


async def test_guests_that_must_not_be_together_are_kept_apart(tmp_path):
    world = {"hosts": {**UP, "xen2": {"db": "running"}}, "web": SHARED | {"keep_apart": ["auto"]}}
    found = await findings(tmp_path, world)
    assert [f.outcome for f in found if f.check == "P22 target's guests"] == ["fail"]


async def test_a_target_that_is_receiving_already_is_busy(tmp_path):
    found = await findings(tmp_path, {"hosts": {**UP, "xen2": {"db--incoming": "paused"}}})
    assert [f.outcome for f in found if f.check == "P22 target's guests"] == ["fail"]


async def test_a_silent_target_is_unknown_everywhere_and_fails_the_whole(tmp_path):
    found = await findings(tmp_path, target(silent=True))
    assert worst(found) == "unknown"
    assert all(f.outcome == "unknown" for f in found if f.check in ("P6 Xen version", "P11 memory", "P15 same storage"))


async def test_without_fencing_there_is_a_warning(tmp_path):
    found = await findings(tmp_path, {"hosts": UP, "fencing": ""})
    assert [f.outcome for f in found if f.check == "P24 fencing"] == ["warn"]
    assert worst(found) == "warn"


@pytest.mark.parametrize(
    ("config", "port", "outcomes"),
    [
        ("(xend-relocation-server yes)\n(xend-relocation-hosts-allow '')\n", True, ["pass", "pass", "pass"]),
        ("(xend-relocation-server yes)\n(xend-relocation-hosts-allow '^xen1$ ^xen3$')\n", True, ["pass"] * 3),
        ("(xend-relocation-server yes)\n(xend-relocation-hosts-allow '^xen3$')\n", True, ["pass", "pass", "fail"]),
        ("(xend-relocation-server yes)\n(xend-relocation-hosts-allow '^(xen1$')\n", True, ["pass", "pass", "unknown"]),
        ("#(xend-relocation-server yes)\n(xend-relocation-server no)\n", False, ["fail", "fail", "pass"]),
        (None, True, ["pass", "unknown", "unknown"]),
    ],
)
async def test_a_host_with_xend_is_asked_for_its_relocation_server(tmp_path, config, port, outcomes):
    files = {} if config is None else {"/etc/xen/xend-config.sxp": config}

    def prepare(world):
        async def connect(address, number, deadline):
            return port and number == 8002

        world.connect = connect

    world = {"hosts": {**UP, "xen2": {"files": files}}, "web": SHARED | {"toolstack": "xm"}}
    found = await findings(tmp_path, world, prepare=prepare)
    assert [f.outcome for f in found if f.check.startswith(("P20 relocation", "P20 hosts"))] == outcomes


async def create(tmp_path, host, prepare=None):
    return await findings(tmp_path, {"hosts": {"xen1": host}}, check_create, prepare)


async def test_a_guest_with_nothing_wrong_can_be_created(tmp_path):
    assert worst(await create(tmp_path, {})) == "pass"


CANNOT = {
    "name free": {"web": "running"},
    "P11 memory": {"free_mib": 600},
    "P17 file": {"files": {"/boot/guest": ""}},
    "P13 bridge": {"bridges": {"xenbr0": {"flags": []}}},
    "P15 not held": {"disks": {"/dev/vg0/web": {"serial": "s", "mounted": "/mnt"}}},
}


@pytest.mark.parametrize("check", CANNOT)
async def test_one_thing_wrong_keeps_a_guest_from_being_created(tmp_path, check):
    found = await create(tmp_path, CANNOT[check])
    assert "fail" in [f.outcome for f in found if f.check == check]


async def test_an_hvm_guest_needs_hvm(tmp_path):
    host = {"files": {"/etc/xen/web.cfg": HVM}, "info": {"virt_caps": "pv"}}
    assert [f.outcome for f in await create(tmp_path, host) if f.check == "P7 hvm"] == ["fail"]
    host = {"files": {"/etc/xen/web.cfg": HVM}}
    assert [f.outcome for f in await create(tmp_path, host) if f.check == "P7 hvm"] == ["pass"]


async def test_a_disk_another_domain_uses_is_in_use(tmp_path):
    def used(world):
        world.place("xen1", "db")
        world.answers["xenstore-ls"] = lambda *_: '/local/domain/0/backend/qdisk/9/51712/params = "aio:/dev/vg0/web"\n'

    found = await create(tmp_path, {}, used)
    assert [f.detail for f in found if f.check == "P15 not in use"] == ["/dev/vg0/web is used by domain 9"]


async def test_before_the_first_guest_there_is_no_folder_of_backends_and_no_disk_is_in_use(tmp_path):
    found = await create(tmp_path, {}, lambda world: world.hosts["xen1"].domains.clear())
    assert [f.outcome for f in found if f.check == "P15 not in use"] == ["pass"]


async def test_a_file_left_on_a_loop_device_is_held(tmp_path):
    text = "name = 'web'\nmemory = 64\ndisk = ['file:/srv/web.img,xvda,w']\n"
    host = {
        "files": {"/etc/xen/web.cfg": text, "/srv/web.img": "x"}, "loops": {"/dev/loop0": "/srv/web.img"},
        "disks": {"/dev/loop0": {"serial": ""}},
    }  # fmt: skip
    found = await create(tmp_path, host)
    assert [f.detail for f in found if f.check == "P15 not held"] == ["/srv/web.img: /dev/loop0"]


async def test_xenstore_that_does_not_answer_is_unknown(tmp_path):
    def silent(world):
        world.answers["xenstore-ls"] = lambda *_: Answer(None)

    found = await create(tmp_path, {}, silent)
    assert [f.outcome for f in found if f.check == "P15 not in use"] == ["unknown"]
