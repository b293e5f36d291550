"""How programs, configurations and people write secrets down: a word before them, an option, a shape of their own."""

import re

GONE = "[redacted]"

_WORDS = (
    r"passwo?r?d|passphrase|(?<![a-z])(?:vnc|spice|root|user|admin|db|ssl|my|pg|redis)?_?pass|rootpw|bindpw|(?<![a-z])pwd|"
    r"secret(?:[_-]?(?:access[_-]?)?key)?|(?:api|access|auth|session|private|pre[_-]?shared|shared|storage|account|"
    r"encryption|luks|wep|master|cipher)[_-]?key|psk|token|credentials?|(?<![a-z])session_id|cephx?[_-]?key|"
    r"(?<![a-z])(?:ro|rw)community6?|passcode|passwort|(?<![a-z])pin(?=[\"']?\s*[:=]\s*[\"']?\d)"
)
"""A key that ends in one of these has a secret as its value: `vncpasswd`, `node.session.auth.password`."""
_BARE = r"[^\s,;)\]}\"'<>]+"
_QUOTED = r"[ub]{0,2}(?:\\\"(?:[^\"\\\n]|\\[^\"\n])*\\\"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
_ANY = rf"(?:{_QUOTED}|[^\s'\"|;&]+)"
"""An argument on a command line."""

VALUE = re.compile(
    rf"((?:{_WORDS})(?:\\?[\"'])?\s*(?:(?:=>?|:(?!//))\s*|,\s*(?=[ub]{{0,2}}[\"'])))({_QUOTED}|{_BARE})", re.IGNORECASE
)
"""`name = "value"`, `name: value`, `"name": "value"`, `name='value'`, `['name', 'value']`: configuration, JSON, XML,
xenstore, argv, SXP as Python prints it."""

_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"\b(ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-[\w@.-]+) AAAA[\w+/=]+(?: [^\s'\"]+)?", rf"\1 {GONE}"),
    (r"\b((?:proxy-)?authorization\s*[:=]\s*['\"]?digest\s)[^\r\n]+", rf"\1{GONE}"),
    (r"\b((?:proxy-)?authorization|x-[\w-]*token|x-api-key|(?:set-)?cookie2?)(\s*[:=]\s*)[^\r\n'\"]+", rf"\1\2{GONE}"),
    (r"\b(bearer|basic|digest|negotiate) (?!\w+$)[\w.~+/=-]{8,}", rf"\1 {GONE}"),
    # user:password@host; the password may have an @ of its own.
    (r"(\w://[^\s:/@'\"]{0,80}):[^\s/'\"]{1,200}@", rf"\1:{GONE}@"),
    (r"\b((?:iscsi|nbd|rbd|ftp|nfs|cifs|smb):(?!//)[^\s:@'\"]{1,80}):[^\s'\"]{1,200}@", rf"\1:{GONE}@"),
    (r"(?<![\w/:])([A-Za-z_][\w.-]{0,40}):[^\s/:'\"@]{1,100}@[^\s/:'\"]{1,100}@(?=[\w.-])", rf"\1:{GONE}@"),
    (r"(\biscsi://[^\s%:/@'\"]{1,80})%[^\s'\"]{1,200}@", rf"\1%{GONE}@"),
    (r"((?:\busername=|\s-U\s*)['\"]?[\w.\\/-]{1,60})%[^\s,'\"]+", rf"\1%{GONE}"),
    # xend's SXP, XML and PHP-like arrays.
    (rf"(\((?:[\w.-]{{0,40}})(?:{_WORDS})\s+)(?!\(|\[redacted)(?:{_QUOTED}|[^\s()]+)(?=\s*\))", rf"\1{GONE}"),
    (rf"(<(?:[\w.:-]{{0,40}})(?:{_WORDS})(?:\s[^<>]{{0,200}})?>)[^<\n]+(?=</)", rf"\1{GONE}"),
    (
        (
            r"(<(?:name|key|member)>\s*[\w.-]{0,40}(?:password|passwd|secret|token)\s*</(?:name|key|member)>\s*"
            r"<(?:value|string)>(?:<string>)?)[^<\n]+"
        ),
        rf"\1{GONE}",
    ),
    # Calls: XAPI's login, with its words in a row or as XML; what is written into xenstore.
    (rf"(\blogin_with_password[\s('\"]+[\w.-]+['\"]?[\s,]+)(?:{_QUOTED}|{_BARE})", rf"\1{GONE}"),
    (
        (
            r"(\blogin_with_password</methodName>.{0,200}?<value>[^<]{0,80}(?:</string>)?</value>.{0,80}?<value>)"
            r"(?:<string>)?[^<]+"
        ),
        rf"\1{GONE}",
    ),
    (rf"(\bxenstore[- ]write\s[^\n|;&]{{0,200}}?(?:passwd|password|secret)\s+){_ANY}", rf"\1{GONE}"),
    # Options of commands.
    (
        rf"((?:^|\s)--?[\w-]{{0,30}}(?:password|passwd|passphrase|pass|token|secret|psk)[ =]){_ANY}(?<!\[redacted\])",
        rf"\1{GONE}",
    ),
    (
        (
            r"\b(sshpass\s+-p\s*|htpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+|redis-cli\b[^\n|;&]{0,120}?\s-a\s*"
            rf"|(?:mysql|mariadb)[\w-]*\b[^\n|;&]{{0,120}}?\s-p)(?=\S){_ANY}"
        ),
        rf"\1{GONE}",
    ),
    (rf"(\s-(?:pw|P)\s+)(?![-/]|\d+(?:\s|$)|(?:INPUT|OUTPUT|FORWARD)\b){_ANY}", rf"\1{GONE}"),
    (rf"(\s-[uUlLD]\s*(?:\"[^\"\n]{{0,200}}\"|[^\s'\"]+)\s+-[pPw]\s*)(?=\S){_ANY}", rf"\1{GONE}"),
    (r"(\s(?:-u|-U|--user|--proxy-user)[ =]?['\"]?[^\s:'\"]{1,80}):[^\s'\"]+", rf"\1:{GONE}"),
    (rf"(\bset-user-password\s+\S+\s+\S+\s+){_ANY}", rf"\1{GONE}"),
    (rf"(\bsecret-set-value\s[^\n|;&]{{0,120}}--base64[ =]){_ANY}", rf"\1{GONE}"),
    (rf"(\bopenssl\s+enc\s[^\n|;&]{{0,120}}?-[kK]\s+){_ANY}", rf"\1{GONE}"),
    (rf"(\bsnmp\w+\s[^\n|;&]{{0,120}}?-[cA]\s+){_ANY}", rf"\1{GONE}"),
    (rf"(\bsnmp\w+\s[^\n|;&]{{0,200}}?-X\s+){_ANY}", rf"\1{GONE}"),
    (rf"(\becho\s+(?:-n\s+)?){_ANY}(?=\s*\|\s*(?:sudo\s+-S\b|passwd\s+--stdin|cryptsetup\b))", rf"\1{GONE}"),
    (r"(\bpass:)(?!\s)[^\s'\"]+", rf"\1{GONE}"),
    (r"(\bsecret,[^\s]{0,200}?\bdata=)[^\s,]+", rf"\1{GONE}"),
    (r"(\brbd:[^\s'\"]{0,300}?:key=)[^\s:'\",]+", rf"\1{GONE}"),
    (rf"(auth\.(?:password|password_in)\s+(?:-v|--value)[ =]){_ANY}", rf"\1{GONE}"),
    (r"(\b(?:incoming|outgoing)user\s+\S+\s+)\S+", rf"\1{GONE}"),
    (
        rf"(\b(?:chap|user(?:name)?\s+\S+)\s+(?:secret|password)\s+)(?![=:(\[]|(?:is|for|of|has)\b|expired){_ANY}",
        rf"\1{GONE}",
    ),
    (r"(^\s*secret\s+\")[^\"\n]+(?=\"\s*;)", rf"\1{GONE}"),
    (rf"(\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?){_QUOTED}", rf"\1{GONE}"),
    (r"(\becho\s+['\"]?[\w.-]{1,32}):[^\s'\"|]+(?=['\"]?\s*\|\s*\S*chpasswd)", rf"\1:{GONE}"),
    (rf"(\bwpa_passphrase\s+{_ANY}\s+){_ANY}", rf"\1{GONE}"),
    (
        rf"(\b(?:set|change)[ _](?:vnc )?password\s+(?:vnc\s+|spice\s+)?)(?![=:]|for\b|of\b|failed\b){_ANY}(?=\s*$)",
        rf"\1{GONE}",
    ),
    # Configuration in words: kickstart, preseed, GRUB, redis, SNMP, Xen's own.
    (
        rf"(^\s*(?:rootpw|bindpw|requirepass|masterauth|r[ow]community6?|authkey|psk)\s+(?:--\w+\s+)*)(?!--|[=:]){_ANY}",
        rf"\1{GONE}",
    ),
    (r"(^\s*(?:d-i\s+)?passwd/[\w-]+(?:password|crypted)[\w-]*\s+\w+\s+)\S.*$", rf"\1{GONE}"),
    (r"(^\s*password(?:_pbkdf2)?\s+(?:--\w+\s+)?(?:[\w.-]+\s+)?)[^\s=:]+\s*$", rf"\1{GONE}"),
    (r"(^\s*(?:machine\s+\S+\s+)?login\s+\S+\s+password\s+)\S+", rf"\1{GONE}"),
    # Secrets that look like nothing else.
    (r"\$(?:1|2[aby]?|5|6|y|7|gy|apr1|argon2\w*)\$[./\w$=,+-]{10,}", GONE),
    (r"\bgrub\.pbkdf2\.sha512\.\d+\.[0-9a-f.]+", GONE),
    (
        (
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}"
            r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
        ),
        GONE,
    ),
    (r"([?&](?:sig|signature|x-amz-signature|x-goog-signature)=)[^\s&'\"]+", rf"\1{GONE}"),
)
FORMS = tuple((re.compile(pattern, re.IGNORECASE), what) for pattern, what in _PATTERNS)
"""Patterns for one line, and what stands there afterwards."""

HINTS = (
    b"pass", b"pwd", b"rootpw", b"secret", b"key", b"token", b"credential", b"authorization", b"cookie", b"bearer ",
    b"basic ", b"digest ", b"negotiate ", b"ssh-", b"ecdsa-", b"sk-", b"://", b"$1$", b"$2", b"$5$", b"$6$", b"$y$",
    b"$7$", b"$gy$", b"$apr1$", b"$argon2", b"akia", b"asia", b"gh", b"eyj", b"glpat-", b"xox", b"psk", b" -p",
    b" -u", b"--user", b"--proxy-user", b"session_id", b"iscsi:", b"nbd:", b"rbd:", b"ftp:", b"cifs:", b"smb:",
    b"@", b"identified", b"incominguser", b"outgoinguser", b"community", b"masterauth", b"sig", b" -w", b"pin",
    b"mysql", b"mariadb", b"redis-cli", b"bindpw", b"username=", b"openssl", b"snmp", b"sudo",
)  # fmt: skip
"""One of these, in lower case, stands in each line that a pattern above can match: only such lines are looked at."""
