"""Cases and rows: what a probe runs, and how the sampling is set. Nothing is run or scored here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from surgery.probes.base import Arm
from surgery.questions import Pair

if TYPE_CHECKING:
    from torch import Tensor

    from surgery.model import Model


@dataclass(frozen=True, slots=True)
class Sampling:
    """How pictures are made for a probe.

    Args:
        steps: of the sampler.
        guidance: weight of the prompt against the empty prompt.
        noise: standard deviation of the noise on the concept's token embeddings, in standard
            deviations of these embeddings themselves.
    """

    steps: int
    guidance: float
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt, seed and draw of noise: what all arms share, and what figures vary over."""

    pair: Pair
    seed: int
    draw: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One arm of one case: one picture."""

    case: Case
    arm: Arm


class Run(Protocol):
    """Makes the rows of one batch."""

    def __call__(
        self,
        model: Model,
        rows: Sequence[Row],
        sampling: Sampling,
        on_step: Callable[[int], None],
    ) -> Tensor:
        """Final latents, one for each row, (n, channels, height, width).

        Args:
            on_step: told, after each step of the sampler, how many rows took it.
        """
        ...
