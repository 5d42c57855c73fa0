"""Where a model is: `atelier`, a file, a folder, the Hub. Turns an address into a place.

Reads nothing and asks nobody; what is here comes before what may be on the Hub under that name.
"""

from __future__ import annotations

import re
from pathlib import Path

from surgery.errors import CheckpointError, HubError
from surgery.store.hub_address import HubAddress, parse
from surgery.store.text import nearest, quoted

ATELIER = Path(__file__).parent.parent / "atelier" / "weights" / "pipeline"


def locate(address: str | Path) -> Path:
    """Return the file or folder on this machine that `address` means.

    Args:
        address: `atelier` (the built-in model), or the path of a file or folder.

    Raises:
        CheckpointError: nothing is there.
        HubError: it is elsewhere on the network.
    """
    text = str(address)
    if text == "atelier":
        return _built_in()
    if not text or "\0" in text:
        raise CheckpointError(f"{quoted(text)} is no model address", hint="give a file or folder")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        hint = "download it and give the file, or write hf://ORG/NAME for a model on the Hub"
        raise HubError(f"{quoted(text)} is on the network, not on the Hub", hint=hint)
    path = Path(text)
    if _is_there(path):
        return path
    raise _missing(path)


def on_hub(address: str | Path) -> HubAddress | None:
    """Return the place on the Hub that `address` means, None when it means something else.

    A path that exists, or whose folder does, is never one.

    Raises:
        HubError: it can only be meant for the Hub and is no place there.
    """
    text = str(address)
    if isinstance(address, Path) or text == "atelier" or "\0" in text:
        return None
    if text.startswith("hf://"):
        return parse(text)
    path = Path(text)
    if _is_there(path) or _is_there(path.parent):
        return None
    return parse(text)


def _built_in() -> Path:
    if not ATELIER.is_dir():
        raise CheckpointError(
            "the weights of the built-in model are not installed",
            where="atelier",
            hint="install surgery again",
        )
    return ATELIER


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _missing(path: Path) -> CheckpointError:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
        dangling = path.is_symlink()
    except OSError:
        return CheckpointError(f"no folder {quoted(str(path.parent))}", hint="check the path")
    if dangling:
        return CheckpointError(f"{quoted(str(path))} is a link to nothing", hint="mend the link")
    close = nearest(path.name, siblings)
    hint = f"did you mean {quoted(str(path.parent / close))}?" if close else "check the path"
    return CheckpointError(f"no file or folder {quoted(str(path))}", hint=hint)
