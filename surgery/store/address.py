"""Where a model is: `atelier`, a file, a folder. Turns an address into a path and reads nothing.

Addresses on the Hub are recognised, so that their error can say what to do.
"""

from __future__ import annotations

import re
from pathlib import Path

from surgery.errors import CheckpointError, HubError
from surgery.store.text import nearest, quoted

ATELIER = Path(__file__).parent.parent / "atelier" / "weights" / "pipeline"
_REPOSITORY = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?P<revision>@[\w./-]+)?")
_MODEL_FILE = (".safetensors", ".ckpt", ".bin", ".pt", ".pth", ".gguf", ".json", ".dduf")


def locate(address: str | Path) -> Path:
    """Return the path of the file or folder that `address` means.

    Args:
        address: `atelier` (the built-in model), or the path of a file or folder.

    Raises:
        CheckpointError: nothing is there.
        HubError: an address on the Hub or the web; models are read from this machine only.
    """
    text = str(address)
    if text == "atelier":
        return _built_in()
    if not text or "\0" in text:
        raise CheckpointError(f"{quoted(text)} is no model address", hint="give a file or folder")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise _remote(text)
    path = Path(text)
    if _is_there(path):
        return path
    named = _REPOSITORY.fullmatch(text)
    if named and not text.endswith(_MODEL_FILE) and not path.parent.is_dir():
        raise _repository(text, named["repo"], named["revision"])
    raise _missing(path)


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


def _repository(text: str, repo: str, revision: str | None) -> HubError:
    pinned = f" --revision {revision[1:]}" if revision else ""
    name = repo.split("/")[1]
    return HubError(
        f"{quoted(text)} is no file or folder here; models are read from this machine only",
        hint=f"download it with `hf download {repo}{pinned} --local-dir {name}` and give ./{name}",
    )


def _remote(text: str) -> HubError:
    inside = re.fullmatch(r"hf://([\w.-]+/[\w.-]+?)(?:@[\w.-]+)?(?:/.*)?", text)
    source = inside[1] if inside else "ORG/NAME"
    return HubError(
        f"{quoted(text)} is on the network; models are read from this machine only",
        hint=f"download it with `hf download {source} --local-dir FOLDER` and give ./FOLDER",
    )
