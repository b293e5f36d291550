import pytest

from xenwatch.triage.bundle.redact import Redaction

LOGIN = "<methodName>session.login_with_password</methodName><value>root</value></param><param><value><string>"


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
        ("['vfb', ['vncpasswd', 's3cret1'], ['vnc', '1']]", "s3cret1"),
        ("['vncpasswd', u's3cret1']", "s3cret1"),
        ("{'vncpasswd': u's3cret1', 'x': 1}", "s3cret1"),
        ("{u'password': b's3cret1'}", "s3cret1"),
        ("(device (vfb (vncpasswd 'two s3cret1') (vnc 1)))", "s3cret1"),
        ('(passwd "two s3cret1")', "s3cret1"),
        ('{\\"password\\": \\"s3cret1\\"}', "s3cret1"),
        ("password => 's3cret1'", "s3cret1"),
        ("password='two s3cret1'", "s3cret1"),
        ("ipmitool -H 10.0.0.5 -U admin -P s3cret1 power status", "s3cret1"),
        ("fence_ipmilan -a 10.0.0.5 -l root -p s3cret1", "s3cret1"),
        ("xe -s pool -u root -pw s3cret1 vm-list", "s3cret1"),
        ("ldapsearch -D cn=root -w s3cret1", "s3cret1"),
        ("sshpass -p s3cret1 ssh root@dom0", "s3cret1"),
        ("sshpass -ps3cret1 ssh root@dom0", "s3cret1"),
        ("sshpass -p 'two s3cret1' ssh root@dom0", "s3cret1"),
        ("curl -u anna:s3cret1 https://host/x", "s3cret1"),
        ("curl --user anna:s3cret1 https://host/x", "s3cret1"),
        ("curl -uanna:s3cret1 https://host/x", "s3cret1"),
        ("curl -u 'anna:s3cret1' https://host/x", "s3cret1"),
        ("curl -H 'X-Api-Key: s3cret1' https://host/x", "s3cret1"),
        ("wget --http-password s3cret1 https://host/x", "s3cret1"),
        ("mysql -u root -ps3cret1 nova", "s3cret1"),
        ("mysqldump -ps3cret1 nova", "s3cret1"),
        ("redis-cli -h db -a s3cret1", "s3cret1"),
        ("virsh --password 'two s3cret1'", "s3cret1"),
        ("virsh --password=s3cret1", "s3cret1"),
        ("MYSQL_PWD=s3cret1 PGPASSWORD=s3cret1 psql", "s3cret1"),
        ("htpasswd -bc /etc/x anna s3cret1", "s3cret1"),
        ("echo root:s3cret1 | chpasswd", "s3cret1"),
        ("openssl rsa -passin pass:s3cret1", "s3cret1"),
        ("wpa_passphrase home s3cret1", "s3cret1"),
        ("netroot=iscsi:anna:s3cret1@10.0.0.5::3260::iqn.2001-04.com.example:disk", "s3cret1"),
        ("rd.iscsi.password=s3cret1", "s3cret1"),
        ("iscsiadm -m node -o update -n node.session.auth.password -v s3cret1", "s3cret1"),
        ("incominguser anna s3cret1", "s3cret1"),
        ("chap-secret: s3cret1", "s3cret1"),
        ("xe sr-create device-config:chappassword=s3cret1", "s3cret1"),
        ("<chappassword>s3cret1</chappassword>", "s3cret1"),
        ("<secret type='raw'>s3cret1</secret>", "s3cret1"),
        ("<member><name>password</name><value><string>s3cret1</string></value></member>", "s3cret1"),
        ("-object secret,id=vnc,data=s3cret1", "s3cret1"),
        ("-object secret,id=vnc,data=s3cret1,format=raw", "s3cret1"),
        ("file=rbd:pool/web:id=admin:key=s3cret1:auth_supported=cephx", "s3cret1"),
        ("[client.admin]\n    key = AQs3cret1\n    secret_key = s3cret1", "= s3cret1"),
        ("psk=s3cret1", "s3cret1"),
        ('    psk="two s3cret1"', "s3cret1"),
        ("PrivateKey = s3cret1", "s3cret1"),
        ("PresharedKey = s3cret1", "s3cret1"),
        ("rootpw s3cret1", "s3cret1"),
        ("rootpw --plaintext s3cret1", "s3cret1"),
        ("rootpw=s3cret1", "s3cret1"),
        ("d-i passwd/root-password password two s3cret1", "s3cret1"),
        ("requirepass s3cret1", "s3cret1"),
        ("rocommunity s3cret1 10.0.0.0/8", "s3cret1"),
        ("machine host login anna password s3cret1", "s3cret1"),
        ("password_pbkdf2 root grub.pbkdf2.sha512.10000.ABCDEF.53C12E71", "53C12E71"),
        ("mysql://root:p@s3cret1@db/x", "s3cret1"),
        ("backup to anna:p@s3cret1@host.example", "s3cret1"),
        ("rsync://anna:s3cret1@host/x", "s3cret1"),
        ("CREATE USER x IDENTIFIED BY 's3cret1'", "s3cret1"),
        ("set_password vnc s3cret1", "s3cret1"),
        ('{"execute": "set_password", "arguments": {"protocol": "vnc", "password": "s3cret1"}}', "s3cret1"),
        ("X-Auth-Token: s3cret1", "s3cret1"),
        ("Proxy-Authorization: Basic czNjcmV0s3cret1", "s3cret1"),
        ("Cookie: session_id=s3cret1", "s3cret1"),
        ("session_id=OpaqueRef:s3cret1", "s3cret1"),
        ("https://store/x?sv=2020&sig=s3cret1&se=1", "s3cret1"),
        ("aws_secret_access_key = s3cret1", "s3cret1"),
        ("client_secret: 's3cret1'", "s3cret1"),
        ("private_key: s3cret1", "s3cret1"),
        ("root:$argon2id$v=19$m=65536$s3cret1s3cret1", "s3cret1"),
        ("glpat-s3cret1s3cret1s3cret1", "s3cret1"),
        ('session.login_with_password("root", "s3cret1", "1.0")', "s3cret1"),
        ("session.login_with_password root s3cret1", "s3cret1"),
        (f"{LOGIN}s3cret1</string></value></param></params>", "s3cret1"),
        ("xenstore-write /local/domain/3/device/vfb/0/vncpasswd s3cret1", "s3cret1"),
        ("virsh set-user-password web root s3cret1", "s3cret1"),
        ("virsh secret-set-value --secret 1-2 --base64 s3cret1", "s3cret1"),
        ("--passwd s3cret1", "s3cret1"),
        ('{"adminPass": "s3cret1"}', "s3cret1"),
        ("bindpw s3cret1", "s3cret1"),
        ("-drive file=iscsi://anna%s3cret1@10.0.0.1/iqn.2001-04.com.example/1", "s3cret1"),
        ("mount -o username=anna%s3cret1,vers=3.0 //srv/x /mnt", "s3cret1"),
        ("smbclient -U anna%s3cret1 //srv/x", "s3cret1"),
        ("openssl enc -aes-256-cbc -k s3cret1 -in x", "s3cret1"),
        ("snmpget -v3 -l authPriv -A s3cret1 -X s3cret1 host", "s3cret1"),
        ("snmpwalk -v2c -c s3cret1 host", "s3cret1"),
        ("echo 's3cret1' | sudo -S xl list", "s3cret1"),
        ("echo s3cret1 | passwd --stdin root", "s3cret1"),
        ("CHAP username anna secret s3cret1", "s3cret1"),
        ('    secret "s3cret1";', "s3cret1"),
        ('Authorization: Digest username="anna", response="s3cret1"', "s3cret1"),
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
        "iptables -P INPUT DROP",
        "scp -P 22 a host:/b",
        "qemu-system-i386 -xen-domid 5 -p 1234 -uuid 1-2",
        "/usr/sbin/tapdisk: pid 7 -u 5 opened",
        "keyword = value",
        "grant key table_key=5 keymap = 'de'",
        "anna@host: no such file, see http://host:8080/x",
        "usb 1-1: device descriptor read/64, error -71",
        "password for vnc is not set",
        "CHAP secret is not set",
        "user anna password expired",
        "snmpd[5]: Connection from UDP: [10.0.0.5]:1234",
        "xenstore-write /local/domain/3/device/vif/0/state 4",
        "pinned vcpu: 3, mapping=1, shaping=0, pin 3",
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
