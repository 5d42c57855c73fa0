"""What can bring a concept back is known by its bytes, not by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from surgery.patches.undo_data import is_undo_data
from surgery.store.checkpoint import open_checkpoint
from surgery.store.inplace import edit_in_place


def test_patches_and_undo_files_are_and_nothing_else_is(tmp_path: Path) -> None:
    model, undo = tmp_path / "m.safetensors", tmp_path / "any.name"
    save_file({"a": np.ones(9, np.float32)}, model)
    edit_in_place(open_checkpoint(model), {"a": bytes(36)}, undo)
    assert is_undo_data(undo)
    patch = tmp_path / "p.safetensors"
    save_file({"a": np.ones(9, np.float32)}, patch, {"surgery.patch": "1"})
    assert is_undo_data(patch)
    for name, data in {"short": b"s", "empty": b"", "broken.safetensors": b"x" * 99}.items():
        (tmp_path / name).write_bytes(data)
        assert not is_undo_data(tmp_path / name)
    assert not is_undo_data(model)
