"""What is known of an edit without a picture: leak and drift, from the record beside its output."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from surgery.errors import SurgeryError
from surgery.report.edits import Drift, Leak
from surgery.store.checkpoint import Checkpoint
from surgery.store.strict_json import load_file

NAME = "surgery.json"
Known = tuple[tuple[Leak, ...], tuple[Drift, ...]]


def leaks_and_drifts(checkpoint: Checkpoint) -> Known:
    """As `apply` measured them; nothing where no record says it, or one of another release."""
    place = _place(checkpoint)
    if not place.is_file():
        return (), ()
    try:
        said = load_file(place)
        leaks = TypeAdapter(tuple[Leak, ...]).validate_python(said.get("leaks", ()))
        drifts = TypeAdapter(tuple[Drift, ...]).validate_python(said.get("drifts", ()))
    except (SurgeryError, ValidationError):
        return (), ()
    return leaks, drifts


def _place(checkpoint: Checkpoint) -> Path:
    root = checkpoint.root
    return root / NAME if root.is_dir() else root.with_name(f"{root.name}.{NAME}")
