"""What probes, previews and verification need of a model, and what they hand to one another.

No network is run or loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from surgery.hooks import Hook
from surgery.layout import Layout
from surgery.model.schedule import Ddim

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
Rows: TypeAlias = slice | Sequence[int] | Tensor
OnStep: TypeAlias = Callable[[int, Tensor, Tensor], None]
"""Told the number of a step, its time, and the latents that it begins with."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """What the denoiser is told of prompts, one row each.

    Args:
        states: (n, length, width), what the text towers say of every token.
        pooled: (n, width), what enters beside the time step; None where the family has no such.
    """

    states: Tensor
    pooled: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.states)

    def rows(self, index: Rows) -> Conditioning:
        """Return some rows, in the order of the index; a row may be asked for more than once."""
        chosen = index if isinstance(index, slice | Tensor) else list(index)
        return Conditioning(
            self.states[chosen], None if self.pooled is None else self.pooled[chosen]
        )

    @staticmethod
    def cat(many: Sequence[Conditioning]) -> Conditioning:
        """Return the rows of all, one after the other."""
        pooled = [one.pooled for one in many if one.pooled is not None]
        return Conditioning(
            torch.cat([one.states for one in many]), torch.cat(pooled) if pooled else None
        )


class PromptTokens(Protocol):
    """A tokenizer in use; `surgery.tokens.Tokens` is one."""

    @property
    def max_length(self) -> int: ...

    def encode(self, text: str) -> tuple[int, ...]: ...

    def padded(self, text: str) -> tuple[int, ...]: ...

    def fits(self, text: str) -> bool: ...

    def subject_span(self, prompt: str, subject: str) -> tuple[int, int]: ...

    def eos_position(self, text: str) -> int: ...


class Model(Protocol):
    """A text-to-image model in memory; `DiffusersModel` says what each of these does."""

    @property
    def layout(self) -> Layout: ...

    @property
    def denoiser(self) -> nn.Module: ...

    @property
    def towers(self) -> Mapping[str, nn.Module]: ...

    @property
    def evaluations(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def side(self) -> int: ...

    @property
    def resolution(self) -> int: ...

    def encode(self, prompts: Sequence[str], hooks: Sequence[Hook] = ()) -> Conditioning: ...

    def empty(self, count: int) -> Conditioning: ...

    def context(self, conditioning: Conditioning) -> Tensor: ...

    def noise(self, seeds: Sequence[int]) -> Tensor: ...

    def timesteps(self, steps: int) -> Tensor: ...

    def schedule(self, steps: int) -> Ddim: ...

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor: ...

    def denoise(
        self,
        conditioning: Conditioning,
        seeds: Sequence[int],
        *,
        steps: int,
        guidance: float,
        hooks: Sequence[Hook] = (),
        on_step: OnStep | None = None,
    ) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...

    def modules(self, kind: str) -> tuple[nn.Module, ...]: ...

    def owner(self, site: str) -> nn.Module: ...

    def parameter(self, tensor: str) -> nn.Parameter: ...

    def tokens(self, role: str = "text") -> PromptTokens: ...
