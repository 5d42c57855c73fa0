"""export: a patch to a LoRA on disk, checked before it is written. Prints nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from surgery.errors import EditError, GateError, LayoutError
from surgery.layout import Layout, detect
from surgery.lora.check import LoraTensor, compare
from surgery.lora.files import as_loaded, check_target, contents, save, stored
from surgery.lora.formats import LoraFormat, Named, named
from surgery.lora.layers import layers
from surgery.lora.modules import Modules
from surgery.patch import Patch
from surgery.report import Report
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible

LoraDtype = Literal["f32", "f16"]

# By these, loaders with a list of files tell for which model a LoRA is.
_TRAINED_ON: Mapping[str, Mapping[str, str]] = {
    "sd1": {"ss_base_model_version": "sd_v1", "ss_v2": "False"},
    "sd2": {"ss_base_model_version": "sd_v2", "ss_v2": "True"},
    "sdxl": {"ss_base_model_version": "sdxl_base_v1-0", "ss_v2": "False"},
}


@dataclass(frozen=True, slots=True)
class LoraWish:
    """How a LoRA is to be written.

    Args:
        out: a file, or for `peft` a folder; may be left out for a dry run.
        dtype: what the factors are rounded to.
        force: replace an output that is there; never an input.
        dry_run: make and check it, write nothing.
    """

    format: LoraFormat
    out: Path | None = None
    dtype: LoraDtype = "f32"
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class LoraReport(Report):
    """What a LoRA holds and how close it comes to the edit.

    Args:
        rank: the largest of any layer.
        components: the networks that it changes.
        out: where it is; None for a dry run.
        bytes_total: size of the model's files.
        fetched: bytes of weights that came by ranges, where no file was downloaded.
        requests: how many requests that took.
    """

    kind: ClassVar[str] = "lora"

    recipe: str
    model: str
    fingerprint: str
    layout: str
    format: LoraFormat
    dtype: LoraDtype
    rank: int
    components: tuple[str, ...]
    tensors: tuple[LoraTensor, ...]
    out: str | None
    files: tuple[str, ...]
    bytes_lora: int
    bytes_total: int
    seconds: float
    fetched: int = 0
    requests: int = 0

    @property
    def modules(self) -> tuple[str, ...]:
        """The layers, under the names of the format."""
        return tuple(name for tensor in self.tensors for name in tensor.modules)

    @property
    def max_abs(self) -> float:
        """The largest difference of any weight from the edited one."""
        return max(tensor.max_abs for tensor in self.tensors)

    @property
    def relative(self) -> float:
        """The largest difference of any tensor, as a share of its change."""
        return max(tensor.relative for tensor in self.tensors)


def export(patch: Patch, checkpoint: Checkpoint, wish: LoraWish) -> LoraReport:
    """Write a patch as a LoRA for the checkpoint that it belongs to.

    Raises:
        EditError: it changes nothing, what no LoRA can carry, or numbers too large for the type.
        LayoutError: the model's layout or module names are not known.
        GateError: the factors as stored do not make the edit; nothing is written.
        OutputError: the output exists (without `force`) or cannot be written.
    """
    began = time.perf_counter()
    layout = _layout(patch, checkpoint)
    target = place(checkpoint, wish)
    found = named(
        layers(patch, checkpoint, layout), layout, Modules(layout, checkpoint), wish.format
    )
    kind = wish.dtype.upper()
    rounded = stored(found, kind)
    tensors = compare(patch, checkpoint, found, as_loaded(rounded), kind)
    _check(tensors)
    metadata = _metadata(patch, layout, found, tensors, wish)
    files = contents(found, rounded, metadata, checkpoint.address)
    if target is not None:
        save(files, target, force=wish.force)
    return LoraReport(
        recipe=_recipe_name(patch),
        model=checkpoint.address,
        fingerprint=checkpoint.fingerprint,
        layout=layout.name,
        format=wish.format,
        dtype=wish.dtype,
        rank=max(tensor.rank for tensor in tensors),
        components=tuple(dict.fromkeys(one.component for one in found)),
        tensors=tensors,
        out=None if target is None else str(wish.out),
        files=()
        if target is None
        else tuple(str(target / name) if name else str(wish.out) for name in files),
        bytes_lora=sum(map(len, files.values())),
        bytes_total=checkpoint.total_bytes,
        seconds=round(time.perf_counter() - began, 4),
        fetched=checkpoint.fetched,
        requests=checkpoint.requests,
    )


def place(checkpoint: Checkpoint, wish: LoraWish) -> Path | None:
    """Return where the LoRA will be, None for a dry run; what would stop it is found here."""
    if wish.dry_run or wish.out is None:
        return None
    return check_target(wish.out, checkpoint, wish.format, force=wish.force)


def _layout(patch: Patch, checkpoint: Checkpoint) -> Layout:
    if not patch.changes:
        hint = "every edit has strength 0, or there is none"
        raise EditError("the patch changes nothing, so there is no LoRA of it", hint=hint)
    try:
        return detect(checkpoint)
    except LayoutError as error:
        where = visible(checkpoint.address)
        raise LayoutError(error.what, where=error.where or where, hint=error.hint) from error


def _check(tensors: Sequence[LoraTensor]) -> None:
    failed = [tensor for tensor in tensors if not tensor.passed]
    if failed:
        worst = max(failed, key=lambda tensor: tensor.relative / tensor.allowed)
        raise GateError(
            f"the LoRA misses the edit by {worst.relative:.3g} of the change, and rounding explains"
            f" {worst.allowed:.3g}; {len(failed)} of {len(tensors)} tensors fail and nothing is"
            " written",
            where=visible(worst.tensor),
        )


def _metadata(
    patch: Patch,
    layout: Layout,
    found: Sequence[Named],
    tensors: Sequence[LoraTensor],
    wish: LoraWish,
) -> dict[str, str]:
    checked = {
        "format": wish.format,
        "dtype": wish.dtype,
        "layout": layout.name,
        "rank": max(tensor.rank for tensor in tensors),
        "max_difference": float(f"{max(tensor.max_abs for tensor in tensors):.6g}"),
        "relative_difference": float(f"{max(tensor.relative for tensor in tensors):.6g}"),
        "allowed_difference": float(f"{max(tensor.allowed for tensor in tensors):.6g}"),
    }
    metadata = {"format": "pt", **patch.metadata({}), "surgery.lora": json.dumps(checked)}
    if wish.format == "kohya":
        rank = str(max(one.change.rank for one in found))
        own = {
            "ss_network_module": "networks.lora",
            "ss_network_dim": rank,
            "ss_network_alpha": rank,
        }
        metadata |= {**own, **_TRAINED_ON[layout.family]}
    return metadata


def _recipe_name(patch: Patch) -> str:
    try:
        return visible(str(json.loads(patch.recipe)["name"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return "a patch without a recipe"
