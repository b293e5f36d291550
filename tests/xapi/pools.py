"""Pools with TLS: the stand-in that ships with the demo, with certificates of an authority of the test's own."""

import ssl
from pathlib import Path

from monitoring.certificates import Authority

from xenwatch.demo.pool import server
from xenwatch.demo.pool.pools import GIB, add_guest, fill, guest, halt, running

__all__ = ["GIB", "StandInPool", "add_guest", "build_pool", "guest", "halt", "running"]


class StandInPool(server.StandInPool):
    """`authority` signs the certificate of each host."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.authority, self.tls = folder, Authority(folder), self._certificate

    def _certificate(self, address: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.sign(f"host-{address}", addresses=(address,)))
        return context


def build_pool(folder: Path, hosts: int = 2, guests: int = 3, *, name: str = "prod", seed: int = 0) -> StandInPool:
    """Two hosts and three guests where nothing else is said."""
    pool = StandInPool(folder)
    fill(pool, hosts, guests, name=name, seed=seed)
    return pool
