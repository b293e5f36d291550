"""Output of `xenstore-ls -f` (one full path a line) and of plain `xenstore-ls` (a tree by indentation)."""

from xenwatch.base import lazy_re as re

DEVICE_MODEL_PID = "image/device-model-pid"
"""Below /local/domain/<domid>: tools/libs/light/libxl_dm.c. A guest may read it and not write it."""
_FULL = re.compile(r"^(?P<path>/\S*) = \"(?P<value>.*)\"(?:\s+\([^()]*\))?$")
_TREE = re.compile(r"^(?P<indent> *)(?P<key>[^\s=]+) = \"(?P<value>.*?)(?:\"(?:\s+\([^()]*\))?|\.\.\.)$")


def parse_xenstore_ls(text: str) -> dict[str, str]:
    """Value by path. The tree form starts at `/`; values are as printed, escapes included."""
    values: dict[str, str] = {}
    stack: list[str] = []
    for line in text.splitlines():
        if full := _FULL.match(line):
            values[full["path"]] = full["value"]
        elif tree := _TREE.match(line):
            # The tree form cuts off paths above its own start and indents by one blank a level.
            del stack[len(tree["indent"]) :]
            stack.append(tree["key"])
            values["/" + "/".join(stack)] = tree["value"]
    return values
