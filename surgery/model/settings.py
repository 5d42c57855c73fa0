"""The configuration that a single file is read by: a folder's, or a real model's from `configs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.layout import Layout
from surgery.model.networks import COMPONENTS, Config, zeros_for_empty
from surgery.prediction import prediction
from surgery.store.checkpoint import Checkpoint
from surgery.store.strict_json import load_file
from surgery.store.text import visible

CONFIGS = Path(__file__).parent / "configs"
WHOLE = "give the whole model"
# Stable Diffusion 2 came in two kinds that share every shape.
_MODELS = {"sd1": ("sd15", "sd15"), "sd2": ("sd21-base", "sd21"), "sdxl": ("sdxl", "sdxl")}


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of a model.

    Args:
        name: whose it is.
        networks: `unet`, `vae`, `text_encoder`, ... -> what its config.json says.
        scheduler: without `prediction_type` where nothing says what the denoiser predicts.
        zero_empty: the empty prompt is told as zeros.
    """

    name: str
    networks: Mapping[str, Config]
    scheduler: Config
    zero_empty: bool


def settings(checkpoint: Checkpoint, layout: Layout, folder: Path | None) -> Settings:
    """Return the configuration for a single file.

    Args:
        folder: a diffusers folder that states it.

    Raises:
        CheckpointError: the folder has none, or there is none for this family.
    """
    _check(checkpoint, layout)
    parts = ("unet", "vae", *(COMPONENTS[role] for role in layout.towers))
    return _bundled(checkpoint, layout, parts) if folder is None else _given(folder, parts)


def _check(checkpoint: Checkpoint, layout: Layout) -> None:
    where = visible(checkpoint.address)
    if layout.family not in _MODELS or layout.naming not in ("ldm", "sgm"):
        raise CheckpointError(
            f"this is a {layout.name} model without model_index.json, which cannot be run",
            where=where,
            hint=f"whole single files of {', '.join(_MODELS)} can, and diffusers folders",
        )
    if not layout.towers:
        raise CheckpointError("there is no text tower in it", where=where, hint=WHOLE)


def bundled(name: str) -> dict[str, object]:
    """Return the configurations of a real model, by component."""
    return load_file(CONFIGS / f"{name}.json")


def _given(folder: Path, parts: tuple[str, ...]) -> Settings:
    index = _read(folder, "model_index.json")
    return Settings(
        name=visible(str(folder)),
        networks={part: _read(folder, f"{part}/config.json") for part in parts},
        scheduler={
            "prediction_type": "epsilon",
            **_read(folder, "scheduler/scheduler_config.json"),
        },
        zero_empty=zeros_for_empty(index),
    )


def _read(folder: Path, path: str) -> Config:
    if not (folder / path).is_file():
        raise CheckpointError(
            f"there is no {path}",
            where=visible(str(folder)),
            hint="--config names a diffusers folder, with or without weights",
        )
    return load_file(folder / path)


def _bundled(checkpoint: Checkpoint, layout: Layout, parts: tuple[str, ...]) -> Settings:
    kind = prediction(checkpoint, layout.family).partition(" (")[0].partition(",")[0]
    kind = kind or ("" if layout.family == "sd2" else "epsilon")
    base, other = _MODELS[layout.family]
    name = other if kind == "v_prediction" else base
    said = bundled(name)
    networks = {part: value for part in parts if isinstance(value := said.get(part), dict)}
    return Settings(name, networks, _scheduler(said, kind, checkpoint), _zero(said))


def _scheduler(said: Config, kind: str, checkpoint: Checkpoint) -> Config:
    own = said["scheduler"]
    assert isinstance(own, dict)
    rest = {key: value for key, value in own.items() if key != "prediction_type"}
    stated = {"prediction_type": kind} if kind else {}
    # Lin et al. 2024, arXiv 2305.08891: with no signal left at the last step, begin there.
    zero = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return {**rest, **stated, **(zero if "ztsnr" in checkpoint else {})}


def _zero(said: Config) -> bool:
    index = said["model_index"]
    return isinstance(index, dict) and zeros_for_empty(index)
