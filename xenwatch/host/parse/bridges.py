"""Output of `brctl show`, `bridge link`, `bridge -j link`: bridges and what is plugged into them."""

import json

from xenwatch.base import lazy_re as re

_BRCTL = re.compile(r"^(?P<name>\S+)\t+(?P<id>[0-9a-f]{4}\.[0-9a-f]{12})\t+\S+[\t ]*(?P<port>\S+)?$")
_BRCTL_SPACES = re.compile(r"^(?P<name>\S+)\s+(?P<id>[0-9a-f]{4}\.[0-9a-f]{12})\s+(?:yes|no)(?:\s+(?P<port>\S+))?\s*$")
_MORE = re.compile(r"^\s+(?P<port>\S+)\s*$")
_LINK = re.compile(r"^\d+: (?P<port>[\w.:@-]+?)(?:@\S+)?:? .*?\bmaster (?P<bridge>\S+)")


def parse_brctl_show(text: str) -> dict[str, tuple[str, ...]]:
    """Ports by bridge; a bridge without ports has an empty tuple."""
    ports: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if found := _BRCTL.match(line) or _BRCTL_SPACES.match(line):
            current = found["name"]
            ports[current] = [found["port"]] if found["port"] else []
        elif current and (more := _MORE.match(line)):
            ports[current].append(more["port"])
    return {bridge: tuple(plugged) for bridge, plugged in ports.items()}


def parse_bridge_link(text: str) -> dict[str, tuple[str, ...]]:
    """Ports by bridge, from the text or the JSON form; a bridge without ports is not seen by this command."""
    ports: dict[str, list[str]] = {}
    for port, bridge in _json_links(text) if text.lstrip().startswith("[") else _text_links(text):
        ports.setdefault(bridge, []).append(port)
    return {bridge: tuple(plugged) for bridge, plugged in ports.items()}


def _text_links(text: str) -> list[tuple[str, str]]:
    return [(found["port"], found["bridge"]) for line in text.splitlines() if (found := _LINK.match(line))]


def _json_links(text: str) -> list[tuple[str, str]]:
    try:
        links = json.loads(text)
    except ValueError:
        return []
    return [
        (link["ifname"], link["master"])
        for link in links
        if isinstance(link, dict) and isinstance(link.get("ifname"), str) and isinstance(link.get("master"), str)
    ]
