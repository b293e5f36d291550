"""What the tools that change something do to a simulated host."""

from simulated_host import UUIDS, Hosts, SimHost

from xenwatch.remediation.machine.port import Answer, Order


def act(world: Hosts, host: SimHost, order: Order) -> Answer:
    program, *rest = order.argv
    if order.save_as:
        host.files[f"/var/lib/xenwatch-effects/diagnostics/{order.save_as}"] = "saved"
        return Answer(0)
    if program.startswith("libvirt:"):
        verb = {"create": "create", "resume": "unpause", "set_memory": "mem-set"}.get(program[8:], program[8:])
        guest = next(name for name, uuid in UUIDS.items() if uuid == rest[0])
        return _xl(world, host, verb, [guest if verb != "create" else f"/etc/xen/{guest}.cfg", *rest[1:]])
    if program in ("xl", "xm"):
        return _xl(world, host, rest[0], rest[1:])
    return _tool(world, host, program, rest)


def _xl(world: Hosts, host: SimHost, verb: str, rest: list[str]) -> Answer:  # noqa: C901 - one branch a word of xl
    if verb == "create":
        return _create(world, host, rest[0].rpartition("/")[2].removesuffix(".cfg"))
    if verb == "migrate":
        return _migrate(world, host, rest[-2], rest[-1])
    domain = next((d for d in host.domains if rest[0] in (d.name, str(d.domid))), None)
    if domain is None:
        return Answer(1, "", f"{rest[0]} is an invalid domain identifier")
    deaf = world.boots.get(domain.name, {}).get("deaf", False)
    if verb == "destroy":
        world.remove(host, domain)
    elif verb == "shutdown" and not deaf:
        world.clock.later(8.0, lambda: world.remove(host, domain))
    elif verb == "reboot" and not deaf:
        world.remove(host, domain)
        world.clock.later(2.0, lambda: _create(world, host, domain.name) and None)
    elif verb == "unpause":
        domain.state = domain.state.replace("p", "-")
        domain.state = "-b----" if domain.state == "------" else domain.state
    elif verb == "mem-set":
        domain.mib = int(rest[1]) // (1024 if int(rest[1]) > 100_000 else 1)
    elif verb == "rename":
        domain.name = rest[1]
    elif verb == "resume":
        domain.state = "-b----"
    return Answer(0)


def _create(world: Hosts, host: SimHost, name: str) -> Answer:
    disk = host.disks.get(f"/dev/vg0/{name}", {})
    if any(d.name == name for d in host.domains):
        return Answer(1, "", f'libxl: error: libxl_dom.c: Domain with name "{name}" already exists')
    if disk.get("mounted") or disk.get("held"):
        return Answer(1, "", "Device /dev/xvda is mounted in the privileged domain")
    boots = world.boots.get(name, {})
    world.place(host.name, name, boots.get("state", "-b----"), answers=boots.get("answers", True))
    return Answer(0)


def _migrate(world: Hosts, host: SimHost, name: str, address: str) -> Answer:
    """Either it arrives, or `Hosts.boots[name]["left"]` says what an interrupted handshake leaves at both ends."""
    target = world.hosts["xen2"]
    domain = next(d for d in host.domains if d.name == name)
    left = world.boots.get(name, {}).get("left")
    if left is None:
        world.remove(host, domain)
        world.place(target.name, name)
        return Answer(0)
    world.leave(name, *left)
    return Answer(1, "", "migration sender: error")


def _tool(world: Hosts, host: SimHost, program: str, rest: list[str]) -> Answer:  # noqa: C901 - one branch a tool
    if program == "systemctl":
        host.services[rest[-1]] = "active"
    elif program == "ip" and "master" in rest:
        host.masters[rest[3]] = rest[5]
    elif program == "dmsetup":
        for disk in host.disks.values():
            (disk.get("held") or {}).pop(rest[-1], None)
    elif program == "losetup":
        host.loops.pop(rest[-1], None)
    elif program == "lvextend":
        host.volumes["lv"] += int(rest[1].strip("+m"))
    elif program in ("journalctl", "logrotate", "apt-get"):
        host.used_percent -= 10
    elif program == "python3":
        next(d for d in host.domains if str(d.domid) == rest[-1]).state = "-b----"
    elif program == "install":
        host.files[rest[-1]] = " "
    elif program == "fence_ipmilan":
        board = world.hosts[rest[0].removeprefix("--ip=bmc-")]
        board.power, board.silent, board.domains = "OFF", True, []
    elif program == "kill":
        for pid in rest[1:]:
            host.processes.pop(int(pid), None)
    return Answer(0)
