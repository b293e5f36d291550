#!/usr/bin/python3
"""ssh for `xl migrate -s`, which stops the conversation for ever at one of its turns, as a dying network would.

held_ssh.py TURN SSH-ARGUMENTS…: `ready` keeps back the target's word that it has all (the source stays suspended under
its own name), `go` keeps back the source's word that the copy is the target's (the source is already renamed).
The words are those of tools/xl/xl_migrate.c.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

READY, GO = b"domain received, ready to unpause", b"domain is yours, you are cleared to unpause"


def pump(source: int, sink: int, stop: bytes | None) -> None:
    """Copy until the end, or until `stop` is about to pass; then hold on."""
    kept = b""
    while data := os.read(source, 65536):
        if stop is not None and stop in (kept := kept[-64:] + data):
            Path("/run/held-ssh").touch()
            time.sleep(3600)
        while data:
            data = data[os.write(sink, data) :]
    os.close(sink)


turn, arguments = sys.argv[1], sys.argv[2:]
ssh = subprocess.Popen(["ssh", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert ssh.stdin is not None
assert ssh.stdout is not None
threading.Thread(target=pump, args=(0, ssh.stdin.fileno(), GO if turn == "go" else None), daemon=True).start()
pump(ssh.stdout.fileno(), 1, READY if turn == "ready" else None)
sys.exit(ssh.wait())
