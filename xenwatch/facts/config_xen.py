"""Facts about how Xen's own parts are configured: xend, xl, the guests that xendomains starts."""

from collections.abc import Iterator

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import HostError
from xenwatch.facts.definitions import FactRow
from xenwatch.host.parse.guest_config import read_settings
from xenwatch.host.toolstack.sxp import Sxp, parse_sxp
from xenwatch.model.subject import HOST

_XEND = {
    "network-script": "xend.network_script",
    "vif-script": "xend.vif_script",
    "xend-relocation-server": "xend.relocation_server",
    "xend-relocation-hosts-allow": "xend.relocation_hosts",
    "enable-dump": "xend.enable_dump",
}
"""What each setting is called; a file may leave all of them out."""
_XEND_UNSAID = {"xend.relocation_server": "no", "xend.relocation_hosts": "", "xend.enable_dump": "no"}
"""What xend takes where the file does not say it (xen: tools/python/xen/xend/XendOptions.py)."""
_SXP_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_LINK = re.compile(r"(?:^|\s)(?P<name>[^\s/]+) -> (?P<target>\S.*)$")
_PLAIN_FILE = re.compile(r"^-\S+ +\d+ .* (?P<name>\S+)$")


def xend_config(text: str) -> Iterator[FactRow]:
    """Of xend-config.sxp: the scripts that xend runs for the host's network and for each interface of a guest.

    Besides: who may send guests here, and whether the memory of a crashed one is kept.
    """
    try:
        expressions = parse_sxp(_SXP_COMMENT.sub("", text))
    except HostError:
        return
    settings = dict(_XEND_UNSAID)
    for expression in expressions:
        if isinstance(expression, list) and expression and isinstance(expression[0], str) and expression[0] in _XEND:
            settings[_XEND[expression[0]]] = _words(expression[1:])
    for name, value in settings.items():
        yield name, HOST, value


def _words(parts: list[Sxp]) -> str:
    return " ".join(part for part in parts if isinstance(part, str))


def xl_conf(text: str) -> Iterator[FactRow]:
    """Of xl.conf(5). Its keys hold dots, which no other configuration of a guest does."""
    settings = read_settings(re.sub(r"^(\s*\w+)\.default\.(\w+\s*=)", r"\1_default_\2", text, flags=re.MULTILINE))
    for key, name in (("vif_default_script", "xl.vif_script"), ("vif_default_bridge", "xl.vif_bridge")):
        if isinstance(value := settings.get(key), str):
            yield name, HOST, value.rpartition("/")[2]


def autostart_links(text: str) -> Iterator[FactRow]:
    """Of `ls -l /etc/xen/auto`: the guests that xendomains is to start, by the names of their links."""
    links = [_LINK.search(line) or _PLAIN_FILE.match(line) for line in text.splitlines()]
    yield "autostart.links", HOST, tuple(link["name"] for link in links if link)
