"""A Hub on the loopback interface for a shell: eval "$(python -m tests.hub.serve --while $$)"

Prints the settings that make Hub clients use it, and serves for as long as the process of that
number lives. What is stored in it goes with it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.hub.client import TOKEN
from tests.hub.server import HubServer


def settings(hub: HubServer, home: Path) -> dict[str, str]:
    """What a client has to have in its environment."""
    return {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(home),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "*",
    }


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--while", dest="pid", type=int, required=True, help="serve while it lives")
    pid = parser.parse_args().pid
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with os.fdopen(ready, encoding="utf-8") as lines:
            sys.stdout.write(lines.read())
        return 0
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    home = Path(tempfile.mkdtemp(prefix="hub-"))
    try:
        with HubServer() as hub:
            shown = (f"export {k}={shlex.quote(v)}\n" for k, v in settings(hub, home).items())
            os.write(tell, "".join(shown).encode())
            os.close(tell)
            while lives(pid):
                time.sleep(0.2)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
