"""How the header of a weight file changes, so that undoing gives its old bytes. Opens no file.

An edit only adds metadata and may move the padding: one piece of the text and the spaces behind it
say all, in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from surgery.errors import CheckpointError
from surgery.patches.stored import HeaderChange
from surgery.store.checkpoint import Checkpoint
from surgery.store.header import PREFIX

_SPACE = " \t\r\n"


def changed_files(checkpoint: Checkpoint, changed: Mapping[str, object]) -> list[str]:
    """Return the relative names of the weight files that hold changed tensors, in order."""
    if checkpoint.kind == "dduf":
        # The records of an archive have one path; the folder in front of a name tells them apart.
        return [file for file in checkpoint.headers if _record_holds(checkpoint, file, changed)]
    paths = {checkpoint[name].file for name in changed}
    return [file for file in checkpoint.headers if checkpoint.path(file) in paths]


def _record_holds(checkpoint: Checkpoint, file: str, changed: Mapping[str, object]) -> bool:
    prefix = file[: file.rfind("/") + 1]
    return any(prefix + entry.name in changed for entry in checkpoint.headers[file].entries)


def header_change(file: str, before: bytes, after: bytes) -> HeaderChange:
    """Return how one header becomes the other.

    Args:
        file: relative name of the weight file, "" for a single file.
        before: the header's bytes, length prefix included; `after` likewise.
    """
    (old, old_padding), (new, new_padding) = _parts(before), _parts(after)
    at = _common(old, new)
    same = _common(old[at:][::-1], new[at:][::-1])
    return HeaderChange(
        file=file,
        before=sha256(before).hexdigest(),
        after=sha256(after).hexdigest(),
        at=at,
        old=old[at : len(old) - same],
        new=new[at : len(new) - same],
        old_padding=old_padding,
        new_padding=new_padding,
    )


def with_change(change: HeaderChange, raw: bytes, *, back: bool = False) -> bytes | None:
    """Return the other header for the one that `change` is about; None for any other one.

    Args:
        back: from the header after the edit to that before.

    Raises:
        CheckpointError: the patch is damaged.
    """
    source, target = (change.after, change.before) if back else (change.before, change.after)
    if sha256(raw).hexdigest() != source:
        return None
    old, new = (change.new, change.old) if back else (change.old, change.new)
    padding = change.old_padding if back else change.new_padding
    text, _ = _parts(raw)
    body = (text[: change.at] + new + text[change.at + len(old) :] + padding).encode("utf-8")
    made = len(body).to_bytes(PREFIX, "little") + body
    if sha256(made).hexdigest() != target:
        raise CheckpointError("the recorded header does not come out", hint="the patch is damaged")
    return made


def _parts(raw: bytes) -> tuple[str, str]:
    """The text of a header, and the white space after it."""
    text = raw[PREFIX:].decode("utf-8")
    body = text.rstrip(_SPACE)
    return body, text[len(body) :]


def _common(a: str, b: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((at for at, (x, y) in pairs if x != y), min(len(a), len(b)))
