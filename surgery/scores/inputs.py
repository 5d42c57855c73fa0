"""How large the inputs of weights are while a model paints: sums of squares, input by input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Model

Array = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Inputs:
    """Adds up what flows into some weights, step by step; `hooks` must be in force while it does.

    Args:
        sites: selectors of single weights.
        step: the step that is run now; whoever runs it says so.
    """

    model: Model
    sites: Sequence[str]
    step: int = 0
    _squares: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    _counts: dict[tuple[int, str], int] = field(default_factory=dict)

    def hooks(self) -> list[Hook]:
        """One for each weight; nothing that flows is changed."""
        return [Hook(self.model.owner(site), "input", self._adding(site)) for site in self.sites]

    def sizes(self, step: int, site: str) -> Array:
        """(in,): the root mean square of each input in one step."""
        mean = self._squares[step, site] / self._counts[step, site]
        return mean.sqrt().numpy().astype(np.float32)

    def whole(self, site: str) -> Array:
        """(in,): the root mean square of each input over all steps."""
        own = [key for key in self._squares if key[1] == site]
        total = torch.stack([self._squares[key] for key in own]).sum(0)
        mean = total / sum(self._counts[key] for key in own)
        return mean.sqrt().numpy().astype(np.float32)

    def kept(self) -> dict[str, Tensor]:
        """All that was added up so far, to go on from by `restore`."""
        counts = {f"{step}/{site}/count": n for (step, site), n in self._counts.items()}
        squares = {f"{step}/{site}/squares": one for (step, site), one in self._squares.items()}
        return {
            **squares,
            **{key: torch.tensor([n], dtype=torch.int64) for key, n in counts.items()},
        }

    def restore(self, kept: Mapping[str, Tensor]) -> None:
        """Go on from what `kept` gave."""
        for key, value in kept.items():
            step, site, what = key.split("/")
            if what == "count":
                self._counts[int(step), site] = int(value)
            else:
                self._squares[int(step), site] = value

    def _adding(self, site: str) -> Callable[[Tensor], Tensor]:
        def add(flowing: Tensor) -> Tensor:
            rows, key = flowing.detach().flatten(0, -2), (self.step, site)
            found = torch.linalg.vector_norm(rows, dim=0, dtype=torch.float64).square().cpu()
            self._squares[key] = self._squares[key] + found if key in self._squares else found
            self._counts[key] = self._counts.get(key, 0) + len(rows)
            return flowing

        return add
