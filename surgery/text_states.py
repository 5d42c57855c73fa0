"""text_states: what the denoiser reads of a prompt, from the weights of its CLIP text towers.

`conditioning` is what cross-attention's K and V maps read, `pooled` what enters beside the time
step. Only families whose denoiser reads CLIP states as they are; no model library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.edits.delta import Array
from surgery.errors import EditError, LayoutError
from surgery.gather import Weights
from surgery.layout import Layout, Site, TextShape
from surgery.numerics.activations import ACTIVATIONS
from surgery.numerics.prefix_tree import Prefix
from surgery.numerics.text_prefix import used_ids
from surgery.numerics.text_tower import Linear, Norm, Tower, TowerLayer, hidden
from surgery.store.text import visible
from surgery.tokens import find_tokens

# The towers whose states stand side by side in what cross-attention reads; where a pooled state is
# read too, it is that of the last one.
READS = {"sd1": ("text",), "sd2": ("text",), "sdxl": ("text", "text2"), "sdxl-refiner": ("text2",)}
POOLED = ("sdxl", "sdxl-refiner")
IN_LAYERS = ("norm", "self_attn.", "mlp.")
# OpenCLIP stores the projection as it multiplies; transformers as a linear map's weight.
AS_MULTIPLIED = "openclip"


def conditioning(
    prefixes: Sequence[Prefix], layout: Layout, weights: Weights
) -> NDArray[np.float64]:
    """What cross-attention reads at the last token of each prefix, as (n, context).

    Args:
        prefixes: ids from the begin token to the place, as the first tower's tokenizer pads them.

    Raises:
        LayoutError: the denoiser reads something else, or a text tower is not in the checkpoint.
        EditError: a prefix is empty or too long, or the weights are damaged.
        CheckpointError: no tokenizer is found where a second tower pads otherwise.
    """
    towers = _sources(tuple(READS), layout, weights)
    parts = [towers[0].states(prefixes)]
    for tower in towers[1:]:
        parts.append(tower.states(_repadded(prefixes, towers[0].end(), tower.shape)))
    return np.concatenate(parts, axis=1, dtype=np.float64)


def pooled(prefixes: Sequence[Prefix], layout: Layout, weights: Weights) -> NDArray[np.float64]:
    """What the denoiser reads of each whole prompt beside the time step, as (n, p).

    Args:
        prefixes: ids from the begin token to the end token; what follows it makes no difference.

    Raises:
        LayoutError: the denoiser reads no such thing, or the tower or its projection is missing.
        EditError: a prefix has no end token, or is too long, or the weights are damaged.
        CheckpointError: no tokenizer is found.
    """
    towers = _sources(POOLED, layout, weights)
    end = towers[0].end()
    for prefix in prefixes:
        if end not in prefix:
            raise EditError(
                f"a prompt's pooled state is that of its end token, {end}, and the one of "
                f"{len(prefix)} tokens has none",
                hint="ask for the place of the end token",
            )
    return towers[-1].pooled([prefix[: prefix.index(end) + 1] for prefix in prefixes])


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """One text tower of a checkpoint."""

    role: str
    layout: Layout
    weights: Weights

    @property
    def shape(self) -> TextShape:
        return self.layout.tower(self.role)

    def states(self, prefixes: Sequence[Prefix]) -> NDArray[np.float32]:
        """The states that cross-attention reads, as (n, width)."""
        last = self.shape.reads == "last"
        return self._run(prefixes, self.shape.layers - (not last), normed=last)

    def pooled(self, prefixes: Sequence[Prefix]) -> NDArray[np.float64]:
        """The projected states at the last tokens, as (n, p)."""
        site = self._sites().get(("projection", 0))
        if site is None:
            raise _incomplete(f"the {self.role} tower here has no projection", self.weights)
        states = self._run(prefixes, self.shape.layers, normed=True).astype(np.float64)
        matrix = self.weights.matrix(site)
        return states @ (matrix if self.shape.kind == AS_MULTIPLIED else matrix.T)

    def end(self) -> int:
        """The id of the end token."""
        checkpoint = self.weights.checkpoint
        rows = checkpoint[self._sites()["token_embedding", 0].tensor].shape[0]
        return find_tokens(checkpoint, self.shape, rows, self.weights.tokenizer).end

    def _run(self, prefixes: Sequence[Prefix], depth: int, *, normed: bool) -> NDArray[np.float32]:
        sites = self._sites()
        _check(prefixes, self.shape)
        once = ("position_embedding", "final_norm.weight", "final_norm.bias")
        self.weights.checkpoint.prepare(sites[kind, 0].tensor for kind in once)
        tower = Tower(
            positions=self._value(sites, "position_embedding"),
            heads=self.shape.heads,
            activation=self._activation(),
            depth=depth,
            layers=lambda: (self._layer(sites, number) for number in range(depth)),
            final_norm=self._norm(sites, "final_norm") if normed else None,
        )
        rows = self.weights.rows(sites["token_embedding", 0], used_ids(prefixes))
        return hidden(prefixes, rows, tower)

    def _layer(self, sites: Mapping[tuple[str, int], Site], number: int) -> TowerLayer:
        self.weights.checkpoint.prepare(
            site.tensor
            for (kind, index), site in sites.items()
            if index == number and kind.startswith(IN_LAYERS)
        )
        return TowerLayer(
            norm1=self._norm(sites, "norm1", number),
            q=self._linear(sites, "self_attn.q", number),
            k=self._linear(sites, "self_attn.k", number),
            v=self._linear(sites, "self_attn.v", number),
            out=self._linear(sites, "self_attn.out", number),
            norm2=self._norm(sites, "norm2", number),
            mlp_in=self._linear(sites, "mlp.in", number),
            mlp_out=self._linear(sites, "mlp.out", number),
        )

    def _linear(self, sites: Mapping[tuple[str, int], Site], kind: str, number: int) -> Linear:
        return Linear(self._value(sites, kind, number), self._value(sites, f"{kind}.bias", number))

    def _norm(self, sites: Mapping[tuple[str, int], Site], kind: str, number: int = 0) -> Norm:
        weight = self._value(sites, f"{kind}.weight", number)
        return Norm(weight, self._value(sites, f"{kind}.bias", number), self.shape.norm_eps)

    def _value(self, sites: Mapping[tuple[str, int], Site], kind: str, number: int = 0) -> Array:
        return self.weights.value(sites[kind, number]).astype(np.float32, copy=False)

    def _sites(self) -> dict[tuple[str, int], Site]:
        lead = f"{self.role}."
        own = (site for site in self.layout.sites if site.kind.startswith(lead))
        return {(site.kind.removeprefix(lead), site.index): site for site in own}

    def _activation(self) -> str:
        if self.shape.activation not in ACTIVATIONS:
            raise EditError(
                f"the activation {visible(self.shape.activation)!r} of the {self.role} tower is "
                "not known",
                where=self.layout.prefixes[self.role],
                hint=f"known are {' and '.join(ACTIVATIONS)}; see its config.json",
            )
        return self.shape.activation


def _sources(families: Sequence[str], layout: Layout, weights: Weights) -> list[_Source]:
    """The towers that the denoiser reads, each of which must be there."""
    if layout.family not in families:
        raise LayoutError(
            f"what the denoiser of {layout.name} reads here is not computed by this release",
            hint=f"for {', '.join(families)} it is",
        )
    roles = READS[layout.family]
    if absent := [role for role in roles if role not in layout.towers]:
        raise _incomplete(f"this {layout.name} checkpoint has no {absent[0]} tower", weights)
    return [_Source(role, layout, weights) for role in roles]


def _incomplete(problem: str, weights: Weights) -> LayoutError:
    return LayoutError(
        f"{problem}, which its denoiser reads",
        where=visible(weights.checkpoint.address),
        hint="give the whole model: its folder, or one file with the text encoders",
    )


def _repadded(prefixes: Sequence[Prefix], end: int, shape: TextShape) -> list[Prefix]:
    """The same prefixes as a tower pads them: whatever follows the first end token is padding."""
    pad = end if shape.pad_id is None else shape.pad_id
    kept = [prefix.index(end) + 1 if end in prefix else len(prefix) for prefix in prefixes]
    return [
        prefix[:count] + (pad,) * (len(prefix) - count)
        for prefix, count in zip(prefixes, kept, strict=True)
    ]


def _check(prefixes: Sequence[Prefix], shape: TextShape) -> None:
    wrong = [len(prefix) for prefix in prefixes if not 1 <= len(prefix) <= shape.max_length]
    if wrong:
        raise EditError(
            f"a prompt of {wrong[0]} tokens, where the model reads 1 to {shape.max_length}",
            hint="shorten it" if wrong[0] else "name a place in it",
        )
