"""anatomy: what is in a checkpoint, from its headers and configs alone. Reads no tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from surgery.errors import LayoutError
from surgery.kinds import sentences
from surgery.layout import Layout, detect
from surgery.prediction import prediction
from surgery.report import Report
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.text import visible

COMPONENT_WORDS: Mapping[str, str] = {
    "unet": "the denoiser",
    "transformer": "the denoiser",
    "text_encoder": "the text encoder",
    "text_encoder_2": "the second text encoder",
    "text_encoder_3": "the third text encoder",
    "vae": "the VAE",
    "safety_checker": "the safety checker",
    "image_encoder": "the image encoder",
    "ema": "the EMA copy",
}
# Beginnings that single files give their parts, longest first where one begins another.
# Source: METHODS 0.4; Stability's generative-models and CompVis' stable-diffusion configs.
_BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("model.diffusion_model.", "unet"),
    ("model_ema.", "ema"),
    ("cond_stage_model.", "text_encoder"),
    ("conditioner.embedders.0.", "text_encoder"),
    ("conditioner.embedders.1.", "text_encoder_2"),
    ("first_stage_model.", "vae"),
    ("text_encoders.clip_l.", "text_encoder"),
    ("text_encoders.clip_g.", "text_encoder_2"),
    ("text_encoders.t5xxl.", "text_encoder_3"),
    ("vae.", "vae"),
)
_PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl"})
_HIDDEN = ("holds hidden or control characters", "hold hidden or control characters")
_NOT_WHOLE = ("should hold whole numbers and does not", "should hold whole numbers and do not")


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a model: a folder of a pipeline, or a common beginning in a single file."""

    name: str
    tensors: int
    parameters: int
    nbytes: int
    dtypes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Anatomy(Report):
    """What a checkpoint is.

    Args:
        layout: name of the one layout that describes it, or None.
        why_not: why there is none.
        prediction: what the denoiser predicts and where that is written; '' where nothing says.
        sites: how many of each kind can be edited.
        dtypes: stored type -> parameters.
        provenance: `surgery.*` metadata: what edited it before.
        oddities: what a user may want to know before trusting the file.
    """

    kind: ClassVar[str] = "anatomy"

    address: str
    container: str
    fingerprint: str
    layout: str | None
    family: str | None
    about: str
    why_not: str
    tensors: int
    parameters: int
    nbytes: int
    files: tuple[str, ...]
    dtypes: Mapping[str, int]
    components: tuple[Component, ...]
    prediction: str
    sites: Mapping[str, int]
    provenance: Mapping[str, str]
    oddities: tuple[str, ...]


def anatomy(checkpoint: Checkpoint) -> Anatomy:
    """Describe a checkpoint from names, shapes, types and configs.

    Raises:
        CheckpointError: a config beside the weights is not JSON.
    """
    layout, why_not = _layout(checkpoint)
    refs = tuple(checkpoint.values())
    return Anatomy(
        address=checkpoint.address,
        container=checkpoint.kind,
        fingerprint=checkpoint.fingerprint,
        layout=layout.name if layout else None,
        family=layout.family if layout else None,
        about=layout.about if layout else "",
        why_not=why_not,
        tensors=len(refs),
        parameters=sum(_parameters(ref) for ref in refs),
        nbytes=checkpoint.total_bytes,
        files=tuple(checkpoint.metadata),
        dtypes=_dtypes(refs),
        components=_components(checkpoint),
        prediction=prediction(checkpoint, layout.family if layout else None),
        sites=layout.counts if layout else {},
        provenance=_provenance(checkpoint),
        oddities=tuple(_oddities(checkpoint)),
    )


def component_of(name: str) -> str:
    """The part of a model that a tensor belongs to, '' where its name does not say."""
    for beginning, component in _BEGINNINGS:
        if name.startswith(beginning):
            return component
    folder, slash, _ = name.partition("/")
    return folder if slash else ""


def _layout(checkpoint: Checkpoint) -> tuple[Layout | None, str]:
    try:
        return detect(checkpoint), ""
    except LayoutError as error:
        return None, str(error)


def _parameters(ref: TensorRef) -> int:
    return prod(ref.shape)


def _dtypes(refs: tuple[TensorRef, ...]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for ref in refs:
        counts[ref.dtype] += _parameters(ref)
    return dict(counts.most_common())


def _components(checkpoint: Checkpoint) -> tuple[Component, ...]:
    groups: dict[str, list[TensorRef]] = {}
    for name, ref in checkpoint.items():
        groups.setdefault(component_of(name), []).append(ref)
    return tuple(
        Component(
            name=name,
            tensors=len(refs),
            parameters=sum(_parameters(ref) for ref in refs),
            nbytes=sum(ref.nbytes for ref in refs),
            dtypes=_dtypes(tuple(refs)),
        )
        for name, refs in groups.items()
    )


def _provenance(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        key: value
        for entries in checkpoint.metadata.values()
        for key, value in entries.items()
        if key.startswith("surgery.")
    }


def _oddities(checkpoint: Checkpoint) -> Iterator[str]:
    empty = [name for name, ref in checkpoint.items() if not ref.nbytes]
    pickles = [path.name for path in checkpoint.side_files if path.suffix in _PICKLES]
    if checkpoint.origins:
        files = [path.name for one in checkpoint.origins.values() for path in one.pickles]
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        yield f"read from pickles: {visible(files[0])}{more}; what is edited becomes safetensors"
    yield from _said("name", [name for name in checkpoint if visible(name) != name], _HIDDEN)
    yield from _said("tensor", empty, ("holds no values", "hold no values"))
    yield from _said("tensor", _broken_ids(checkpoint), _NOT_WHOLE)
    yield from _said("pickle file", pickles, ("lies beside the weights", "lie beside the weights"))
    yield from sentences(checkpoint)


def _broken_ids(checkpoint: Checkpoint) -> list[str]:
    return [
        name
        for name, ref in checkpoint.items()
        if name.endswith("position_ids") and ref.dtype not in ("I64", "I32")
    ]


def _said(noun: str, names: list[str], words: tuple[str, str]) -> Iterator[str]:
    if len(names) == 1:
        yield f"1 {noun} {words[0]}: {visible(names[0])}"
    elif names:
        yield f"{len(names)} {noun}s {words[1]}, such as {visible(names[0])}"
