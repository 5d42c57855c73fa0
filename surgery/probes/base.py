"""What every probe answers: which interventions to try next, and what their scores mean.

No model is run here and nothing is scored: `runs` makes the runs, a judge scores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeAlias

from surgery.layout import Layout
from surgery.report import Score

Way: TypeAlias = Literal["substitute", "glance", "restore", "restore text", "weigh"]
RESTORING: frozenset[Way] = frozenset({"restore", "restore text"})
"""Ways whose anchors are a corrupted and a clean run, and for which noise is drawn."""


ALIKE = 0.02
"""Effects as near as this are taken for equal."""


@dataclass(frozen=True, slots=True)
class Substitute:
    """Cross-attention layers `first` to `stop` - 1 read the prompt without the concept."""

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing is corrupted."""


@dataclass(frozen=True, slots=True)
class Restore:
    """The outputs of a layer of the denoiser are those of the clean run, at every step.

    Args:
        kind: self_attn, cross_attn, ff or resnet; '' restores nothing.
        index: in execution order.
    """

    kind: str
    index: int


@dataclass(frozen=True, slots=True)
class RestoreText:
    """The outputs of a layer of a text tower are those of the clean run, at some tokens.

    Args:
        kind: text.self_attn, text.mlp or text.layer; '' restores nothing.
        layer: 0-based.
        role: at which tokens, see `surgery.probes.roles`.
    """

    kind: str
    layer: int
    role: str


Intervention: TypeAlias = Substitute | Clean | Restore | RestoreText


@dataclass(frozen=True, slots=True)
class Arm:
    """One thing to try: what is done, and the place it speaks for.

    Args:
        site: a selector, or the name of an anchor.
        column: the tokens, for places in a text tower.
    """

    site: str
    intervention: Intervention
    column: str = ""


def strongest(scored: Sequence[Score]) -> list[Score]:
    """The places whose effect is as large as any and more than chance, in their order."""
    most = max(score.effect for score in scored)
    close = [score for score in scored if score.effect >= most - ALIKE]
    return [score for score in close if score.low is not None and score.low > 0]


class Probe(Protocol):
    """A way to find out where a model keeps a concept.

    Args:
        name: as in PROBES.
        about: one sentence.
        source: the paper.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    way: ClassVar[Way]
    """How its arms are run: see `surgery.runs`. Those that restore draw noise."""

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        """The run that shows the concept, and the one that shows it no more."""
        ...

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """What to try next, after what was scored so far; nothing when it is done."""
        ...

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The place to edit, '' for none, and the scores that the answer rests on."""
        ...
