"""The networks of a single file, whose names are those of the original (LDM, SGM) code.

Such a file says nothing of its configuration: that is given, or one of the real models' in
`configs`, and the shapes decide whether it fits. diffusers turns the names of UNet and VAE into its
own; the text towers are found by their sites.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers.models.modeling_utils import no_init_weights
from torch import nn

from surgery.errors import CheckpointError
from surgery.layout import Layout, Site, detect
from surgery.model.networks import (
    CLASSES,
    COMPONENTS,
    Networks,
    network,
    sample_side,
    skeleton,
    value,
)
from surgery.model.parts import layout_of
from surgery.model.settings import WHOLE, Settings, settings
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.text import visible

_PREFIXES = {"unet": "model.diffusion_model.", "vae": "first_stage_model."}
# OpenCLIP stores the projection as it multiplies; transformers as a linear map's weight.
_TURNED = ("openclip", "text2.projection")


def from_single(checkpoint: Checkpoint, config: Path | None, dtype: torch.dtype) -> Networks:
    """Load the networks of a single file.

    Args:
        config: a diffusers folder with the model's configuration; left out, that of the real model
            of its family.

    Raises:
        CheckpointError: the configuration is of another model, or a network is not in the file.
        LayoutError: no layout describes the file.
    """
    layout = detect(checkpoint)
    chosen = settings(checkpoint, layout, config)
    source = SingleFile(checkpoint, layout, chosen, dtype)
    source.check()
    return Networks(
        denoiser=source.converted("unet"),
        vae=source.converted("vae"),
        towers={role: source.tower(role) for role in COMPONENTS if role in layout.towers},
        scheduler=chosen.scheduler,
        zero_empty=chosen.zero_empty,
        side=sample_side(chosen.networks["unet"]),
    )


class SingleFile:
    """A single file and the configuration that it is read by.

    Raises:
        CheckpointError: the configuration has a network of a class that is not run here.
    """

    def __init__(
        self, checkpoint: Checkpoint, layout: Layout, chosen: Settings, dtype: torch.dtype
    ) -> None:
        self.checkpoint, self.layout, self.chosen, self.dtype = checkpoint, layout, chosen, dtype
        self.sites = {(site.kind, site.index): site for site in layout.sites}
        parts = {name: skeleton(self._kind(name), one) for name, one in chosen.networks.items()}
        towers = {role: parts[name] for role, name in COMPONENTS.items() if name in parts}
        self.bare = layout_of(parts["unet"], towers)
        self.shapes = {
            f"{name}/{one}": tuple(held.shape)
            for name, part in parts.items()
            for one, held in part.state_dict().items()
        }

    def check(self) -> None:
        """Hold the configuration against the file.

        Raises:
            CheckpointError: shapes or numbers of tensors differ.
        """
        for site in self.bare.sites:
            self._check_site(site)
        for name, prefix in _PREFIXES.items():
            self._check_size(name, sum(prod(ref.shape) for _, ref in self._held(prefix)))

    def _check_size(self, name: str, found: int) -> None:
        own = (shape for one, shape in self.shapes.items() if one.startswith(f"{name}/"))
        wanted = sum(map(prod, own))
        if found == 0:
            raise CheckpointError(f"there is no {name} in it", where=self._where, hint=WHOLE)
        if found != wanted:
            raise self._unfit(f"its {name} has {found:,} numbers, {wanted:,} are expected")

    def _check_site(self, site: Site) -> None:
        wanted = self.shapes[site.tensor]
        own = self.sites.get((site.kind, site.index))
        if own is None:
            raise self._unfit(f"{site} is not in it")
        shape = _shape(self.checkpoint[own.tensor], own)
        if shape != wanted and shape[::-1] != wanted:
            raise self._unfit(f"{site} has shape {list(shape)}, {list(wanted)} is expected")

    def converted(self, name: str) -> nn.Module:
        """The UNet or the VAE, its names turned into those of diffusers."""
        dtype = torch.float32 if name == "vae" and self.dtype == torch.float16 else self.dtype
        tensors = {one: value(ref) for one, ref in self._held(_PREFIXES[name])}
        with TemporaryDirectory() as folder, no_init_weights(), _made_as(dtype):
            told = json.dumps(dict(self.chosen.networks[name]))
            (Path(folder) / "config.json").write_text(told, "utf-8")
            try:
                made: nn.Module = CLASSES[self._kind(name)].from_single_file(
                    tensors, config=folder, local_files_only=True, low_cpu_mem_usage=False
                )
            except (RuntimeError, ValueError, KeyError) as error:
                raise self._unfit(f"its {name} has other layers") from error
        return made.eval().requires_grad_(False)

    def _held(self, prefix: str) -> list[tuple[str, TensorRef]]:
        return [(name, ref) for name, ref in self.checkpoint.items() if name.startswith(prefix)]

    def tower(self, role: str) -> nn.Module:
        """A text tower, each of its parameters from the site that holds it in the file."""
        name = COMPONENTS[role]
        sites = [one for one in self.bare.sites if one.kind.startswith(f"{role}.")]
        tensors = {one.tensor.removeprefix(f"{name}/"): self._value(one) for one in sites}
        return network(self._kind(name), self.chosen.networks[name], tensors, self.dtype)

    def _value(self, site: Site) -> torch.Tensor:
        own = self.sites[site.kind, site.index]
        held = value(self.checkpoint[own.tensor], self.dtype, own.rows)
        turned = (self.layout.towers[site.kind.partition(".")[0]].kind, site.kind) == _TURNED
        return held.T.contiguous() if turned else held

    def _kind(self, name: str) -> str:
        config = self.chosen.networks[name]
        listed = config.get("architectures")
        kind = config.get("_class_name") or (listed[0] if isinstance(listed, list) else "")
        if kind not in CLASSES:
            raise self._unfit(f"its {name} would be a {visible(str(kind))}")
        return str(kind)

    @property
    def _where(self) -> str:
        return visible(self.checkpoint.address)

    def _unfit(self, what: str) -> CheckpointError:
        return CheckpointError(
            f"the configuration of {self.chosen.name} is not that of this file: {what}",
            where=self._where,
            hint="give --config FOLDER, a diffusers folder with the model's own configuration",
        )


def _shape(ref: TensorRef, site: Site) -> tuple[int, ...]:
    return (site.rows[1] - site.rows[0], *ref.shape[1:]) if site.rows else ref.shape


@contextmanager
def _made_as(dtype: torch.dtype) -> Iterator[None]:
    """Networks are made with numbers of this kind, not made larger first."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
