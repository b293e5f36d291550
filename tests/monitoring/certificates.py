"""An authority of the test's own, and the certificates it signs, as PEM files."""

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """Signs what it is asked to."""

    folder: Path
    name: str = "ca"
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        own = x509.BasicConstraints(ca=True, path_length=0)
        self._write(self.certificate, self._signed(_named(self.name), self._key, [(own, True)]))

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def sign(
        self,
        name: str,
        *,
        san: tuple[str, ...] = (),
        addresses: tuple[str, ...] = ("127.0.0.1",),
        days: int = 2,
        common_name: bool = True,
    ) -> tuple[Path, Path]:
        """Files of a certificate and its key. `san`: DNS names; `addresses`: 127.0.0.1 where nothing else is said."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
        names += map(x509.DNSName, san)
        made = self._signed(
            _named(name) if common_name else x509.Name([]), key, [(x509.SubjectAlternativeName(names), False)], days
        )
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self._write(paths[0], made)
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
        days: int = 2,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(_named(self.name))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - 3 * _DAY).not_valid_after(now + days * _DAY)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
