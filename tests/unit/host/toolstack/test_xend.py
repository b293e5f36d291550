"""xend is asked over its socket as xl is over its command, and its S-expressions are read."""

import socketserver
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

import pytest
from hosts.recorded import RecordedRunner

from xenwatch.base.errors import HostError, TimedOut, Unavailable
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.parse.xl_list import state_of
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.protocol import find_toolstack
from xenwatch.host.toolstack.sxp import parse_sxp
from xenwatch.host.toolstack.xend import Xend, domain_from

UUID = "5f1c6a1e-0b1d-4c0a-9d3e-6a0f7c1b2d01"
WEB = [
    "domain", ["domid", 3], ["uuid", UUID], ["vcpus", 2], ["memory", 512], ["maxmem", 512], ["name", "web"],
    ["image", ["linux", ["kernel", "/boot/vmlinuz"]]], ["device", ["vif", ["bridge", "xenbr0"]]],
    ["state", "-b----"], ["cpu_time", 12.5], ["online_vcpus", 2],
]  # fmt: skip
LONG = f"""(domain
    (domid 0)
    (name Domain-0)
    (memory 1024)
    (vcpus 2)
    (state r-----)
    (cpu_time 99.25)
)
(domain
    (domid 7)
    (uuid {UUID})
    (name 'bad one')
    (memory 256)
    (vcpus 1)
    (bootargs "a \\"quoted\\" (word)")
    (state ---sc-)
    (shutdown_reason crash)
    (cpu_time 0.5)
)
(domain (name defined-only) (memory 256) (vcpus 1))
"""


class _Handler(SimpleXMLRPCRequestHandler):
    disable_nagle_algorithm = False
    rpc_paths = ("/RPC2",)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None: ...


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    daemon_threads = True
    block_on_close = False
    logRequests = False  # noqa: N815 - the standard library's name
    _send_traceback_header = False

    def __init__(self, path: Path) -> None:
        SimpleXMLRPCDispatcher.__init__(self)
        super().__init__(str(path), _Handler)
        self.go_on = threading.Event()
        self.register_function(lambda *_: [WEB], "xend.domains")
        self.register_function(lambda: [["nr_cpus", 4], ["free_memory", 2048], ["xen_major", 3]], "xend.node.info")


@pytest.fixture
def paths() -> Iterator[Paths]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "var/run/xend").mkdir(parents=True)
        yield Paths(Path(folder))


@pytest.fixture
def server(paths: Paths) -> Iterator[_Server]:
    with _Server(paths.xend_socket) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()


async def test_domains_come_over_the_socket(paths: Paths, server: _Server) -> None:
    xend = Xend(paths, SystemRunner())
    (web,) = await xend.domains()
    assert (web.name, web.domid, web.uuid, web.vcpus, web.cpu_seconds) == ("web", 3, UUID, 2, 12.5)
    assert (web.memory_bytes, state_of(web.flags), web.shutdown_reason) == (512 * 1024**2, "blocked", None)
    assert xend.up


async def test_the_host_is_told_by_the_keys_of_xl_info(paths: Paths, server: _Server) -> None:
    assert await Xend(paths, SystemRunner()).info() == {"nr_cpus": "4", "free_memory": "2048", "xen_major": "3"}


async def test_an_xend_that_hangs_costs_its_deadline(paths: Paths, server: _Server) -> None:
    server.register_function(lambda *_: server.go_on.wait(), "xend.domains")
    with pytest.raises(TimedOut, match=r"xend did not answer within 0\.1 s"):
        await Xend(paths, SystemRunner()).domains(0.1)


async def test_a_fault_of_xend_is_an_error_with_its_words(paths: Paths, server: _Server) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Xend has probably crashed")

    server.register_function(fail, "xend.domains")
    with pytest.raises(HostError, match="Xend has probably crashed"):
        await Xend(paths, SystemRunner()).domains()


async def test_a_dead_xend_whose_socket_file_is_left_is_unavailable(paths: Paths) -> None:
    paths.xend_socket.touch()
    with pytest.raises(Unavailable, match=r"xmlrpc\.sock"):
        await Xend(paths, SystemRunner()).domains()


async def test_without_the_socket_xm_is_asked(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "xm_list_--long.txt").write_text(LONG)
    dom0, bad = await Xend(paths, RecordedRunner(tmp_path)).domains()
    assert (dom0.name, dom0.cpu_seconds, dom0.uuid) == ("Domain-0", 99.25, None)
    assert (bad.name, state_of(bad.flags), bad.shutdown_reason) == ("bad one", "crashed", "crash")


def test_expressions_nest_and_quotes_protect() -> None:
    assert parse_sxp("(a (b 'c d') \"e)f\") g") == [["a", ["b", "c d"], "e)f"], "g"]


@pytest.mark.parametrize("torn", ["(domain (name web)", "(a))", "(a 'b)", "(" * 100])
def test_a_torn_expression_is_an_error(torn: str) -> None:
    with pytest.raises(HostError, match="SXP"):
        parse_sxp(torn)


@pytest.mark.parametrize(
    "other", [None, [], ["vm", ["name", "x"]], ["domain", ["name", "x"]], ["domain", ["domid", "-1"]]]
)
def test_what_is_no_running_domain_is_passed_over(other: object) -> None:
    assert domain_from(other) is None


def test_a_host_with_xend_running_is_asked_through_xend_though_xl_is_installed(paths: Paths) -> None:
    everything, nothing = lambda name: f"/usr/sbin/{name}", lambda _name: None
    assert getattr(find_toolstack(paths, SystemRunner(), everything), "name", None) == "xl"
    assert find_toolstack(paths, SystemRunner(), nothing) is None
    paths.xend_socket.touch()
    assert getattr(find_toolstack(paths, SystemRunner(), everything), "name", None) == "xend"
