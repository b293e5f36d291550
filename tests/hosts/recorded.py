"""A recorded host to read through the real interfaces: its files, what its commands printed, and its xenstore."""

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed
from xenwatch.host.host import Host, build_host
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.xl import Xl
from xenwatch.model.sample import Snapshot
from xenwatch.sampling.catalogue import take_once

HOSTS = Path(__file__).parent
RECORDED_AT = 1_795_381_900.0

Edit = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


@contextlib.asynccontextmanager
async def recorded_host(
    host: str = "xen-4.17", *, libvirt_uri: str | None = None, edit: Edit = _as_it_is
) -> AsyncIterator[Host]:
    """A recorded host; the clock stands still at the moment of the recording.

    `edit` changes what was recorded, file by file, into what a test is about.
    """
    recording = HOSTS / host
    with tempfile.TemporaryDirectory() as root:  # short: a socket's path is at most 107 bytes
        plant(Path(root), edit((recording / "tree.txt").read_text()))
        runner = RecordedRunner(recording / "commands", edit)
        with XenstoreServer(Path(root), parse_xenstore_ls(edit((recording / "xenstore.txt").read_text()))):
            host = build_host(
                ManualClock(RECORDED_AT), Paths(Path(root)), runner, toolstack=Xl(runner), libvirt_uri=libvirt_uri
            )
            yield host
            await host.close()


async def recorded_snapshot(name: str = "xen-4.17") -> Snapshot:
    """What every collector makes of a recorded host: the same on every machine and at every time."""
    async with recorded_host(name) as host:
        return await take_once(host, host.clock)


def plant(root: Path, tree: str) -> None:
    """Make the files of a `tree.txt`: lines of `path = content`, `\\n` and `\\0` escaped, and of `path -> target`."""
    for line in tree.splitlines():
        path, is_file, content = line.partition(" = ")
        if not is_file:
            path, _, target = line.partition(" -> ")
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if is_file:
            place.write_text(content.replace("\\n", "\n").replace("\\0", "\0"))
        else:
            place.symlink_to(target)


class RecordedRunner:
    """Answers a command with what is recorded in the file named like its first words, `xl_list_-v.txt`."""

    def __init__(self, folder: Path, edit: Edit = _as_it_is) -> None:
        self._folder, self._edit = folder, edit
        self.ran: list[tuple[str, ...]] = []

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        self.ran.append(tuple(argv))
        for words in (3, 2):
            file = self._folder / ("_".join(argv[:words]).replace("/", "_") + ".txt")
            if file.exists():
                return Completed(tuple(argv), 0, self._edit(file.read_text()).encode(), b"")
        raise CommandFailed(argv, 1, "not recorded")


def parse_xenstore_ls(text: str) -> dict[str, str]:
    """Nodes of `xenstore-ls -f`."""
    nodes = {}
    for line in text.splitlines():
        path, _, value = line.partition(" = ")
        nodes[path] = value.removeprefix('"').removesuffix('"')
    return nodes


class XenstoreServer:
    """Speaks xenstored's protocol on its socket, for reads, from nodes that tests may change."""

    def __init__(self, root: Path, nodes: Mapping[str, str]) -> None:
        self.nodes = dict(nodes)
        self.asked = 0
        self.silent = threading.Event()
        folder = root / "run/xenstored"
        folder.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "socket"))
        self._listener.listen()
        self._connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while len(header := stream.read(16)) == 16:
                kind, request, transaction, length = struct.unpack("<IIII", header)
                path = stream.read(length).rstrip(b"\0").decode()
                self.asked += 1
                if not self.silent.is_set():
                    kind, body = self._answer(kind, path)
                    connection.sendall(struct.pack("<IIII", kind, request, transaction, len(body)) + body)

    def _answer(self, kind: int, path: str) -> tuple[int, bytes]:
        if kind == 2 and path in self.nodes:
            return kind, self.nodes[path].encode()
        if kind == 1 and (names := sorted(self._children(path))):
            return kind, b"".join(name.encode() + b"\0" for name in names)
        if kind == 1 and path in self.nodes:
            return kind, b""
        return 16, b"ENOENT\0"

    def _children(self, path: str) -> Iterator[str]:
        start = path + "/"
        yield from {node[len(start) :].partition("/")[0] for node in self.nodes if node.startswith(start)}
