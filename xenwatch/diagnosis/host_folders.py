"""Folders of a bundle that each hold one host's logs: `xen1/var/log/messages` beside `xen2/var/log/messages`."""

from collections.abc import Iterator

from xenwatch.base import lazy_re as re

_HOST_NAME = re.compile(r"(?!\d[\d._:T-]*$)[A-Za-z0-9][\w.-]*")
"""A folder of another name is none of a host: one a day (2024-05-01) is of the same host."""
_PACKED = re.compile(r"\.(?:tar(?:\.\w+)?|tgz|t[bx]z2?)$")

Place = tuple[str, str]
"""What stands above and below a folder in the path of a log."""


class HostFolders:
    """Learns from the paths of logs, and from what is known of the host of some folders."""

    def __init__(self) -> None:
        self._beside: dict[Place, dict[str, str]] = {}
        self._known: dict[str, set[str]] = {}

    def see_log(self, path: str) -> None:
        """A log of a host as a whole: logs of two hosts have the same path but for one folder."""
        folders = list(_folders(path))
        for index, (folder, end) in enumerate(folders):
            if _HOST_NAME.fullmatch(folder.rpartition("/")[2]):
                above = path[: folders[index - 1][1]] if index else ""
                self._beside.setdefault((above, path[end:]), {})[folder] = path[:end]

    def see_name(self, folder: str, host: str) -> None:
        """A log or a record in that folder says which host it is of."""
        self._known.setdefault(folder, set()).add(host)

    def names(self) -> "FolderNames":
        """What is known now."""
        return FolderNames(dict(self._tops()), self._known)

    def _tops(self) -> Iterator[tuple[str, str]]:
        for folders in self._beside.values():
            alike = len({folder.rpartition("/")[2] for folder in folders}) == 1
            for folder, path in folders.items() if len(folders) > 1 else ():
                archive, _, inside = folder.rpartition("/")
                yield path, _PACKED.sub("", archive if alike else inside)


class FolderNames:
    """Which host a folder is of: by the one name that the logs below its top folder tell, else by that one's own."""

    def __init__(self, tops: dict[str, str], hosts_by_folder: dict[str, set[str]]) -> None:
        self._tops, self._known = tops, hosts_by_folder
        self._below: dict[str, set[str]] = {}
        for folder, hosts in hosts_by_folder.items():
            top = self._top(folder)
            if top is not None:
                self._below.setdefault(top, set()).update(hosts)

    def get(self, folder: str) -> str | None:
        """The host's name; None where nothing tells it."""
        top = self._top(folder)
        hosts = self._known.get(folder, set()) if top is None else self._below.get(top, set())
        if len(hosts) == 1:
            return min(hosts)
        return None if top is None else self._tops[top]

    def _top(self, folder: str) -> str | None:
        """The outermost folder of a host in which it lies."""
        end = folder.find("/")
        while end >= 0:
            if folder[:end] in self._tops:
                return folder[:end]
            end = folder.find("/", end + 1)
        return folder if folder in self._tops else None


def _folders(path: str) -> Iterator[tuple[str, int]]:
    """The folders of a path, each with the offset of its end; an archive and the one folder in it are one."""
    parts, end, outer = path.split("/")[:-1], 0, ""
    for index, part in enumerate(parts):
        end += len(part) + (index > 0)
        if _PACKED.search(part) and index + 1 < len(parts):
            outer = f"{part}/"
            continue
        yield outer + part, end
        outer = ""
