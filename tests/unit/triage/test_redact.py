import pytest

from xenwatch.triage.bundle.redact import Redaction


def redacted(text: str) -> str:
    return Redaction(key=b"k").redacted(text.encode()).decode()


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('vncpasswd = "s3cret1"', "s3cret1"),
        ("vfb = [ 'type=vnc,vncpasswd=s3cret1,vnclisten=0.0.0.0' ]", "s3cret1"),
        ("(device (vfb (vncpasswd s3cret1) (vnc 1)))", "s3cret1"),
        ("<graphics type='vnc' passwd='s3cret1' port='1'/>", "s3cret1"),
        ('{"password": "s3\\"cret1", "x": 1}', "cret1"),
        ('/vm/uuid/device/vfb/0/vncpasswd = "s3cret1"', "s3cret1"),
        ("node.session.auth.password = s3cret1", "s3cret1"),
        ("mysql://root:s3cret1@db/x", "s3cret1"),
        ("Authorization: Bearer abcdefgh.s3cret1", "s3cret1"),
        ("virsh --password s3cret1", "s3cret1"),
        ("API_KEY=s3cret1", "s3cret1"),
        ("PASSWORD=s3cret1", "s3cret1"),
        ("<secret>s3cret1</secret>", "s3cret1"),
        ("root:$6$saltsalt$s3cret1s3cret1:19000:0", "s3cret1"),
        ("ssh-ed25519 AAAAC3s3cret1 anna@dom0", "s3cret1"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret1\nabc\n-----END OPENSSH PRIVATE KEY-----", "s3cret1"),
        ("-----BEGIN RSA PRIVATE KEY-----\ncut off by rotation: s3cret1", "s3cret1"),
    ],
)
def test_a_secret_is_gone_however_it_is_written(line: str, secret: str):
    after = redacted(f"before\n{line}\nlater")
    assert secret not in after
    assert "[redacted]" in after
    assert after.startswith("before\n")


@pytest.mark.parametrize(
    "line",
    [
        "authentication failed: password incorrect",
        "Passthrough of device 0000:03:00.0 to domain 3",
        "bypass=1 compass: north keymap=en",
        "qemu -vnc 0.0.0.0:1,password -k en",
        'vncpasswd=""',
        "xs: read /local/domain/3/device/vif/0/mac 00:16:3e:12:34:56 from 192.168.1.5",
    ],
)
def test_what_only_sounds_like_a_secret_stays(line: str):
    assert redacted(line) == line


def test_addresses_become_others_and_a_duplicate_stays_a_duplicate():
    redaction = Redaction(addresses=True)
    text = b"mac=00:16:3e:12:34:56 ip 192.168.1.5\nmac=00:16:3E:12:34:56 ip 192.168.1.6 fe80::216:3eff:fe12:3456"
    first, second = redaction.redacted(text).decode().splitlines()
    assert first.split()[0] == second.split()[0] != "mac=00:16:3e:12:34:56"
    assert first.split()[2] != second.split()[2]
    assert "192.168" not in first + second
    assert "fe80" not in second


def test_addresses_of_nobody_and_numbers_that_look_alike_stay():
    text = "127.0.0.1 0.0.0.0 fe:ff:ff:ff:ff:ff 4.17.5 20:55:04 0000:03:00.0 ::1"
    assert Redaction(addresses=True).redacted(text.encode()).decode() == text


def test_bytes_that_are_no_text_go_through_unchanged():
    data = bytes(range(256)) * 3 + b"\npassword=abc\n" + b"\xff\xfe"
    assert Redaction().redacted(data) == data.replace(b"=abc", b"=[redacted]")
