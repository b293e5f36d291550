"""No password of a guest's console leaves the reader, in whichever form a tool prints it."""

import pytest

from xenwatch.host.privileged.secrets import is_secret, without_secrets

PRINTED = (
    (b'/local/domain/0/backend/vfb/5/0/vncpasswd = "s3cr"et"\n', b'/local/domain/0/backend/vfb/5/0/vncpasswd = ""\n'),
    (b'/vm/5f1c/vncpasswd = "s3cret"   (n0,r5)\n', b'/vm/5f1c/vncpasswd = ""   (n0,r5)\n'),
    (b'"vnc": {"passwd": "s3c\\"ret", "port": 1}', b'"vnc": {"passwd": "", "port": 1}'),
    (b"(device (vfb (vncpasswd s3cret) (type vnc)))", b"(device (vfb (vncpasswd '') (type vnc)))"),
    (b"(vfb (vncpasswd 's3cret two'))", b"(vfb (vncpasswd ''))"),
)


@pytest.mark.parametrize(("printed", "told"), PRINTED, ids=["xenstore-ls", "permissions", "xl", "xm", "xm, quoted"])
def test_a_password_is_left_out_and_the_rest_stays(printed: bytes, told: bytes) -> None:
    around = b'/local/domain/5/name = "web"\n%s\n(name passwd-server)\n"name": "passwd"\n'
    assert without_secrets(around % printed) == around % told


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("/local/domain/0/backend/vfb/5/0/vncpasswd", True),
        ("/vm/5f1c/vncpasswd", True),
        ("/local/domain/5/name", False),
        ("/local/domain/5/passwd-server/name", False),
    ],
)
def test_a_node_that_holds_one_is_known_by_its_name(path: str, secret: bool) -> None:
    assert is_secret(path) is secret
