"""What every training stage shares: a resumable loop state, the learning rate, the running mean."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

log = logging.getLogger("surgery.atelier")


def cosine(step: int, steps: int, peak: float, warm: int = 100) -> float:
    """Linear warm-up, then a cosine down to 2 % of the peak."""
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


@dataclass(slots=True)
class Run:
    """One stage of training that can be stopped and taken up again."""

    name: str
    model: nn.Module
    steps: int
    peak: float
    folder: Path
    seed: int = 0
    keep_mean: float = 0.0
    step: int = 0
    optimiser: torch.optim.Optimizer = field(init=False)
    mean: dict[str, Tensor] = field(init=False)
    _since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        trained = [one for one in self.model.parameters() if one.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, lr=self.peak, betas=(0.9, 0.99))
        self.mean = {name: one.clone() for name, one in self.model.state_dict().items()}
        if self.file.exists():
            self._resume(torch.load(self.file, weights_only=True))

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pt"

    def _resume(self, saved: dict[str, object]) -> None:
        self.step = int(str(saved["step"]))
        self.model.load_state_dict(saved["model"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(saved["optimiser"])  # type: ignore[arg-type]
        self.mean = saved["mean"]  # type: ignore[assignment]

    def save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean": self.mean,
        }
        partial = self.file.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.file)

    def remaining(self) -> Iterator[tuple[int, np.random.Generator]]:
        """The steps still to do, each with the chance that belongs to it alone."""
        while self.step < self.steps:
            yield self.step, np.random.default_rng([self.seed, self.step])
            self.step += 1

    def descend(self, loss: Tensor, between: Callable[[], None] = lambda: None) -> None:
        """One step down the gradient; `between` sees the gradients first."""
        for group in self.optimiser.param_groups:
            group["lr"] = cosine(self.step, self.steps, self.peak)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        between()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self._average()

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.keep_mean, (1 + self.step) / (10 + self.step))
        for name, now in self.model.state_dict().items():
            self.mean[name].lerp_(now, 1 - keep) if now.is_floating_point() else None

    def tell(self, **figures: float) -> None:
        spent = time.monotonic() - self._since
        said = " ".join(f"{name} {value:.4f}" for name, value in figures.items())
        log.info("%s step %d/%d %s (%.0f s)", self.name, self.step, self.steps, said, spent)


def pick(chance: np.random.Generator, total: int, count: int) -> NDArray[np.int64]:
    return chance.integers(0, total, size=count)
