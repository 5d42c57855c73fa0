"""What the rows of weights give while a model paints: means over places and steps, per picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Model

Matrix = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Outputs:
    """Adds up what some weights give, step by step; `hooks` must be in force while they do.

    Args:
        sites: selectors of single weights.
    """

    model: Model
    sites: Sequence[str]
    _sums: dict[str, Tensor] = field(default_factory=dict)
    _steps: dict[str, int] = field(default_factory=dict)

    def hooks(self) -> list[Hook]:
        """One for each weight; nothing that flows is changed."""
        return [Hook(self.model.owner(site), "output", self._adding(site)) for site in self.sites]

    def means(self, site: str) -> Matrix:
        """(pictures, out), over all places and steps so far."""
        found: Matrix = (self._sums[site] / self._steps[site]).numpy()
        return found

    def _adding(self, site: str) -> Callable[[Tensor], Tensor]:
        def add(flowing: Tensor) -> Tensor:
            mean = flowing.detach().double().mean(dim=tuple(range(1, flowing.ndim - 1))).cpu()
            self._sums[site] = self._sums[site] + mean if site in self._sums else mean
            self._steps[site] = self._steps.get(site, 0) + 1
            return flowing

        return add
