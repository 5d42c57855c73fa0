"""What a checkpoint is when it is no plain set of weights: LoRA, quantised, merged, EMA copies.

Tells by names, types and metadata. Reads no tensor and knows no architecture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.text import visible

SCALES = (".scale_weight", ".weight_scale", ".weight_scale_inv")
_BYTE_FLOATS = frozenset({"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})
# The down factor of a LoRA, by who writes it: (rows are the rank) kohya and LyCORIS, then PEFT,
# diffusers, and diffusers' first form.
_DOWN: tuple[tuple[str, str], ...] = (
    (r"lora_down\.weight", "kohya"),
    (r"lora_A\.(?:[^.]+\.)?weight", "diffusers/PEFT"),
    (r"lora\.down\.weight|lora\.\w+\.down\.weight|_lora\.down\.weight", "diffusers (old)"),
    (r"hada_w1_b|lokr_w2(?:_b)?|oft_(?:diag|blocks)|glora_\w+|dora_scale", "LyCORIS"),
)
_FACTOR = re.compile(r"lora[._]|hada_|lokr_|oft_|\.alpha$|_alpha$|dora_scale|lora_magnitude|\.diff")
_MERGES = ("sd_merge_recipe", "sd_merge_models", "modelspec.merged_from", "merged_from", "mergekit")
_LONGEST = 60
_PATCH = "surgery.patch"


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank factors: who writes names like these, and the ranks that occur, smallest first."""

    naming: str
    ranks: tuple[int, ...]

    def __str__(self) -> str:
        """As in 'a LoRA of rank 8 (kohya naming)'."""
        if not self.ranks:
            return f"a LoRA ({self.naming} naming)"
        low, high = self.ranks[0], self.ranks[-1]
        rank = f"rank {low}" if low == high else f"ranks {low} to {high}"
        return f"a LoRA of {rank} ({self.naming} naming)"


def lora(checkpoint: Mapping[str, TensorRef]) -> Lora | None:
    """Return what LoRA the tensors are, or None when most of them are no factors."""
    factors = [name for name in checkpoint if _FACTOR.search(name)]
    if not factors or 2 * len(factors) < len(checkpoint):
        return None
    for pattern, naming in _DOWN:
        down = [ref for name, ref in checkpoint.items() if re.search(f"(?:{pattern})$", name)]
        if down:
            ranked = naming != "LyCORIS" or "hada" in down[0].name
            ranks = {ref.shape[0] for ref in down if ref.shape} if ranked else set()
            return Lora(naming, tuple(sorted(ranks)))
    return None


def quantised(names: Iterable[str]) -> str:
    """Return how packed weights among these names are stored, '' where none are."""
    for name in names:
        if found := re.search(r"\.quant_state\.bitsandbytes__(\w+)$", name):
            return f"bitsandbytes 4-bit ({visible(found[1])})"
        if name.endswith((".absmax", ".quant_map")):
            return "bitsandbytes 4-bit"
        if name.endswith(".SCB"):
            return "bitsandbytes int8"
        if name.endswith((".wscales", ".wcscales")):
            return "SVDQuant 4-bit"
        if name.endswith((".qweight", ".qzeros", ".g_idx")):
            return "GPTQ or AWQ"
    return ""


def packing(name: str, names: Mapping[str, object]) -> str:
    """Return how one tensor is packed by what stands beside it, '' where nothing does."""
    module = name.removesuffix(".weight")
    endings = (".absmax", ".quant_map", ".SCB", ".qzeros", ".g_idx", ".wscales")
    states = (".quant_state.bitsandbytes__nf4", ".quant_state.bitsandbytes__fp4")
    beside = [
        base + ending
        for base in (name, module)
        for ending in (*states, *endings)
        if base + ending in names
    ]
    return quantised(beside)


def is_patch(checkpoint: Checkpoint) -> bool:
    """Return whether the file is a patch that surgery wrote."""
    return any(_PATCH in entries for entries in checkpoint.metadata.values())


def why_not_editable(checkpoint: Checkpoint) -> tuple[str, str] | None:
    """Return (what keeps this from being edited as a model, what to do), None where nothing does.

    To be asked when no layout fits: one component may be quantised and another be edited.
    """
    if is_patch(checkpoint):
        return "this is a patch, not a model", "`surgery patch apply` uses it on its model"
    if found := lora(checkpoint):
        return f"this is {found}, not a whole model", "give the model itself"
    if packed := quantised(checkpoint):
        return f"its weights are quantised ({packed})", "give a copy in 8-bit floats or wider"
    return None


def sentences(checkpoint: Checkpoint) -> Iterator[str]:
    """What a user may want to know about how the weights are kept and came to be."""
    if is_patch(checkpoint):
        yield "it is a patch, not weights: `surgery patch show` says of what"
    if found := lora(checkpoint):
        yield f"it is {found}, not whole weights"
    if packed := quantised(checkpoint):
        yield f"it holds quantised weights: {packed}"
    yield from _eighths(checkpoint)
    if any(name.startswith("model_ema.") for name in checkpoint):
        yield "it holds EMA copies of the denoiser, which are edited alike"
    yield from _merged(checkpoint)


def _eighths(checkpoint: Checkpoint) -> Iterator[str]:
    count = sum(ref.dtype in _BYTE_FLOATS for ref in checkpoint.values())
    if not count:
        return
    scales = sum(name.endswith(SCALES) for name in checkpoint)
    how = f"with {scales} scale tensors" if scales else "without scales"
    yield f"it holds {count} tensors of 8-bit floats, {how}"


def _merged(checkpoint: Checkpoint) -> Iterator[str]:
    for entries in checkpoint.metadata.values():
        for key in _MERGES:
            if key in entries:
                shown = visible(entries[key][:_LONGEST])
                more = "..." if len(entries[key]) > _LONGEST else ""
                yield f"its metadata tells of a merge: {key} = {shown}{more}"
