"""Attribution: what the concept's J loses, to first order, when a weight goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from surgery.edits.scores import Fact, Scores, Values, Wanted, sample
from surgery.errors import UsageError
from surgery.model import Model
from surgery.scores.base import facts_of
from surgery.scores.gradients import Sums, collecting
from surgery.scores.inputs import Inputs
from surgery.scores.objectives import OBJECTIVES, Amplify, Erase, Held, Point
from surgery.scores.progress import Progress
from surgery.stage import Stage, unwatched

log = logging.getLogger("surgery")

BATCH = 16
"""Rows that are run at a time. The estimate of `held` depends on it, a little."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """alpha = w dJ/dw for every weight, and what it counts for what should stay.

    Values above zero speak for the concept, values below against it. `held` are there where prompts
    to hold are named: w^2 E[(dPhi/dw)^2] over them.

    Args:
        progress: a file that is written after every time step, from which a scoring that was
            stopped goes on, to the same bits; whoever named it removes it.
        checkpointing: less memory for half as much time again.
        batch: rows that are run at a time.

    Source: Nguyen et al. 2025, arXiv 2412.02542, section 3.
    """

    about: ClassVar[str] = "what the concept loses, to first order, when a weight goes"
    source: ClassVar[str] = "Nguyen et al. 2025, arXiv 2412.02542"

    progress: Path | None = None
    checkpointing: bool = False
    batch: int = BATCH

    def score(self, model: Model, wanted: Wanted, stage: Stage = unwatched) -> Scores:
        """Run the model forwards and backwards along the sampling.

        Raises:
            UsageError: the model's numbers overflow, or a site that it does not have.
            OutputError: the file of progress cannot be written, or is of another scoring.
        """
        work = _Work.begun(self, model, wanted)
        facts = {**facts_of(model, wanted), "batch": self.batch}
        progress = Progress(self.progress, {**facts, "wanted": repr(wanted)})
        begun, kept = progress.read()
        work.restore(kept)
        with stage("attribution", wanted.steps * work.rows) as advance:
            advance(begun * work.rows)
            for number in range(begun, wanted.steps):
                work.step(number, advance)
                progress.write(number + 1, work.kept())
        return work.scores(facts)


@dataclass(slots=True, eq=False)
class _Work:
    """The parts of one scoring."""

    model: Model
    wanted: Wanted
    checkpointing: bool
    objective: Erase | Amplify
    held: Held | None
    inputs: Inputs
    gradients: Sums
    squares: Sums | None
    total: Tensor

    @classmethod
    def begun(cls, how: Attribution, model: Model, wanted: Wanted) -> _Work:
        """All samplings at their noise, nothing added up."""
        inputs = Inputs(model, wanted.sites)
        kind = OBJECTIVES[str(wanted.setting("goal"))]
        held = Held(model, wanted, how.batch, inputs.hooks()) if wanted.held else None
        return cls(
            model,
            wanted,
            how.checkpointing,
            kind(model, wanted, how.batch, inputs.hooks()),
            held,
            inputs,
            Sums.of(model, wanted.sites),
            Sums.of(model, wanted.sites, squared=True) if held else None,
            torch.zeros((), dtype=torch.float64),
        )

    @property
    def rows(self) -> int:
        """How many rows there are in one step."""
        return len(self.objective.sampling) + (len(self.held.sampling) if self.held else 0)

    def step(self, number: int, advance: Callable[[int], None]) -> None:
        """Add up one step of all samplings."""

        def backward(point: Point) -> Tensor:
            said = self.model.predict(point.latents, point.time, point.told)
            share = point.share(said)
            share.backward()
            advance(len(point.latents))
            self.total += share.detach().cpu()
            return said.detach()

        with collecting(self.model, self.gradients, checkpointing=self.checkpointing):
            self.objective.step(number, backward)
        if self.held is not None and self.squares is not None:
            kept = self.total.clone()
            with collecting(self.model, self.squares, checkpointing=self.checkpointing):
                self.held.step(number, backward)
            self.total.copy_(kept)

    def kept(self) -> dict[str, Tensor]:
        """All that a scoring goes on from; the tensors themselves."""
        found = {"latents": self.objective.sampling.latents, "total": self.total}
        found |= {f"inputs/{key}": one for key, one in self.inputs.kept().items()}
        found |= {f"gradients/{site}": one for site, one in self.gradients.sums.items()}
        if self.held is not None and self.squares is not None:
            found["held"] = self.held.sampling.latents
            found |= {f"squares/{site}": one for site, one in self.squares.sums.items()}
        return found

    def restore(self, kept: Mapping[str, Tensor]) -> None:
        """Go on from what `kept` gave."""
        own, begun = self.kept(), "inputs/"
        for name, value in kept.items():
            if not name.startswith(begun):
                own[name].copy_(value)
        found = {name.removeprefix(begun): one for name, one in kept.items() if begun in name}
        self.inputs.restore(found)

    def scores(self, facts: Mapping[str, Fact]) -> Scores:
        """What was added up, as means over rows and times.

        Raises:
            UsageError: the numbers overflowed.
        """
        often = self.wanted.steps * len(self.objective.sampling)
        values = _arrays(self.gradients.times_weight(1 / often))
        held: dict[str, Values] = {}
        if self.held is not None and self.squares is not None:
            again = self.wanted.steps * len(self.held.sampling)
            held = _arrays(self.squares.times_weight(1 / again))
        owners = {site: self.model.owner(site).get_parameter("weight") for site in values}
        samples = {site: sample(one.detach().float().cpu().numpy()) for site, one in owners.items()}
        norms = {site: self.inputs.whole(site) for site in values} if self.inputs.kept() else {}
        whole = {**facts, "objective": float(self.total) / often}
        log.info("attribution: J is %.4g", whole["objective"])
        return Scores("attribution", values, held, norms, samples, whole)


def _arrays(found: Mapping[str, Tensor]) -> dict[str, Values]:
    """The same as numbers, where they are numbers; on a CPU no copy is made."""
    for site, one in found.items():
        if not torch.isfinite(one).all():
            raise UsageError(
                f"the gradients of {site} overflow", hint="score in float32, by --dtype float32"
            )
    return {site: one.cpu().numpy() for site, one in found.items()}
