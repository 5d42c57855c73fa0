"""What every way to score components answers. Nothing is run here."""

from __future__ import annotations

from typing import ClassVar, Protocol

from surgery.edits.scores import Fact, Scores, Wanted
from surgery.model import Model
from surgery.stage import Stage, unwatched


class Scorer(Protocol):
    """A way to score components.

    Args:
        about: one sentence.
        source: the paper.
    """

    about: ClassVar[str]
    source: ClassVar[str]

    def score(self, model: Model, wanted: Wanted, stage: Stage = unwatched) -> Scores:
        """Run the model and score every component that is wanted.

        Raises:
            UsageError: the model's numbers overflow, or a site that it does not have.
        """
        ...


def facts_of(model: Model, wanted: Wanted) -> dict[str, Fact]:
    """All that scores depend on, besides the way to score."""
    return {
        "fingerprint": model.fingerprint,
        "prompts": len(wanted.pairs),
        "first prompt": wanted.pairs[0][0],
        "first prompt without": wanted.pairs[0][1],
        "held": ", ".join(wanted.held),
        "seeds": ", ".join(map(str, wanted.seeds)),
        "steps": wanted.steps,
        "guidance": wanted.guidance,
        "resolution": model.resolution,
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": model.device.type,
        **dict(wanted.settings),
    }
