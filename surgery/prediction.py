"""What a denoiser was trained to predict, and where that is written. Reads no tensor.

A file that does not say, and whose family has both kinds, is answered with nothing, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from surgery.errors import CheckpointError
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible

_SCHEDULER = "scheduler/scheduler_config.json"
# Tensors without values that ComfyUI and A1111 read as a mark.
# Source: ComfyUI's model detection and the NoobAI-XL and Playground v2.5 files.
_MARKS = {"v_pred": "v_prediction", "edm_mean": "edm", "edm_vpred.sigma_max": "edm v_prediction"}
_SPELT = {"v": "v_prediction", "vpred": "v_prediction", "eps": "epsilon", "x0": "sample"}
_BY_FAMILY: Mapping[str, str] = {
    "sd1": "epsilon",
    "if": "epsilon",
    "pixart": "epsilon",
    "sd3": "flow",
    "flux": "flow",
    "sana": "flow",
    "wan": "flow",
}


def prediction(checkpoint: Checkpoint, family: str | None) -> str:
    """`kind (where it is written)`, or '' where nothing says it.

    Args:
        family: the recognised family; for some, all models are of one kind.
    """
    for kind, source in _stated(checkpoint):
        zero = ", zero terminal SNR" if "ztsnr" in checkpoint else ""
        return f"{_SPELT.get(kind, kind)} ({source}{zero})"
    usual = _BY_FAMILY.get(family or "")
    return f"{usual} (as every {family} model; the files do not say)" if usual else ""


def _stated(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    try:
        config = checkpoint.json(_SCHEDULER) or {}
    except CheckpointError:
        config = {}
    if isinstance(kind := config.get("prediction_type"), str):
        yield visible(kind), _SCHEDULER
    elif "FlowMatch" in str(config.get("_class_name", "")):
        yield "flow", _SCHEDULER
    elif config:
        yield "epsilon", f"the default of {_SCHEDULER}"
    yield from ((kind, f"the tensor {mark}") for mark, kind in _MARKS.items() if mark in checkpoint)
    yield from _in_metadata(checkpoint)


def _in_metadata(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    for entries in checkpoint.metadata.values():
        if kind := entries.get("modelspec.prediction_type"):
            yield visible(kind), "modelspec.prediction_type"
        elif entries.get("modelspec.architecture", "").endswith("-768-v"):
            yield "v_prediction", "modelspec.architecture"
        elif entries.get("ss_v_parameterization") == "True":
            yield "v_prediction", "ss_v_parameterization"
