from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.errors import UsageError
from surgery.judges.readable import is_atelier, must_be_atelier
from surgery.store.checkpoint import open_checkpoint
from tests.helpers import single
from tests.helpers.tiny import write_pipeline


def one_file(folder: Path, out: Path) -> Path:
    """A diffusers folder under the names of the original code, with a sampler's table beside."""
    whole = open_checkpoint(folder)
    parts: dict[str, list[str]] = {}
    arrays: dict[str, np.ndarray] = {}
    for name in whole:
        component, _, inner = name.partition("/")
        parts.setdefault(component, []).append(inner)
    for component in parts:
        (file,) = (folder / component).glob("*.safetensors")
        arrays |= {f"{component}/{name}": one for name, one in load_file(file).items()}
    config = whole.json("unet/config.json")
    assert config is not None
    tensors = single.fused(single.plan("sd1", parts, config), arrays)
    save_file({**tensors, "alphas_cumprod": np.zeros(1000, np.float32)}, out)
    return out


def test_the_built_in_model_is_itself_as_a_folder_and_as_one_file(tmp_path: Path) -> None:
    whole = open_checkpoint("atelier")
    assert is_atelier(whole)
    assert is_atelier(open_checkpoint(one_file(whole.root, tmp_path / "one.safetensors")))


def test_a_part_of_it_and_other_models_are_not(tmp_path: Path) -> None:
    assert not is_atelier(open_checkpoint(open_checkpoint("atelier").root / "unet"))
    other = open_checkpoint(write_pipeline(tmp_path / "other"))
    assert not is_atelier(other)
    with pytest.raises(UsageError, match="no judge for this model"):
        must_be_atelier(other)
