"""Output of `ip addr`, `ip link`, their brief and JSON forms, and ifconfig: interfaces, state, master, addresses."""

import json
from typing import Any, NamedTuple

from xenwatch.base import lazy_re as re

_FULL = re.compile(r"^\d+: (?P<name>[^\s:@]+)(?:@\S+)?: <(?P<flags>[^>]*)>(?P<rest>.*)$")
_BRIEF = re.compile(
    r"^(?P<name>[^\s:@]+)(?:@\S+)?\s+(?P<state>UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT)\b\s*(?P<rest>.*)$"
)
_IFCONFIG = re.compile(r"^(?P<name>[\w.:-]+?):?\s+(?:Link encap|flags=)(?P<rest>.*)$")
_INET = re.compile(r"^\s+inet6? (?:addr:\s?)?(?P<address>[0-9a-fA-F.:]+)")
_ADDRESS = re.compile(r"[0-9a-fA-F]*[.:][0-9a-fA-F.:]*/\d+")
_STATE = re.compile(r"\bstate (\S+)")
_MASTER = re.compile(r"\bmaster (\S+)")


class Interface(NamedTuple):
    """`state` is the kernel's operstate (UP, DOWN, UNKNOWN), None where the form does not say."""

    name: str
    state: str | None
    master: str | None
    addresses: tuple[str, ...]


def parse_ip(text: str) -> list[Interface]:
    """Any of the forms, recognised by itself; lines of another shape are passed over."""
    if text.lstrip().startswith("["):
        return _from_json(text)
    found: list[Interface] = []
    for line in text.splitlines():
        interface = _start(line)
        if interface:
            found.append(interface)
        elif found and (inet := _INET.match(line)):
            found[-1] = found[-1]._replace(addresses=(*found[-1].addresses, inet["address"]))
    return found


def _start(line: str) -> Interface | None:
    if full := _FULL.match(line):
        state, master = _STATE.search(full["rest"]), _MASTER.search(full["rest"])
        return Interface(full["name"], state[1] if state else None, master[1] if master else None, ())
    if brief := _BRIEF.match(line):
        addresses = tuple(address.split("/")[0] for address in _ADDRESS.findall(brief["rest"]))
        return Interface(brief["name"], brief["state"], None, addresses)
    if old := _IFCONFIG.match(line):
        return Interface(old["name"], None, None, ())
    return None


def _from_json(text: str) -> list[Interface]:
    try:
        links = json.loads(text)
    except ValueError:
        return []
    return [_link(link) for link in links if isinstance(link, dict) and isinstance(link.get("ifname"), str)]


def _link(link: dict[str, Any]) -> Interface:
    addresses = tuple(str(address["local"]) for address in link.get("addr_info", ()) if "local" in address)
    return Interface(link["ifname"], link.get("operstate"), link.get("master"), addresses)
