"""CLIP as the judge: how near a picture is to the words for a concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from surgery.judges.base import Mark, Seen, Sees, marked, pictures_of
from surgery.judges.towers import Towers
from surgery.report.probes import Best

if TYPE_CHECKING:
    from surgery.questions import Question, Sort

STYLE = ("{} style", "a painting in the style of {}", "a painting by {}")
THING = ("{}", "a picture of {}", "a photo of {}")


@dataclass(frozen=True, slots=True, eq=False)
class ClipJudge:
    """Scores 100 times the cosine of a picture and the mean of several texts.

    Of a style or an object these name the concept, which is to go; of a fact they name the new
    fact, which is to come. The concept is shown where a picture is nearer to its own prompt than to
    the prompt without the concept.

    Args:
        towers: the model.

    Source: Basu et al. 2024, arXiv 2405.01008, section 4.1; Radford et al. 2021, arXiv 2103.00020,
    section 3.1.4 (the mean of several texts).
    """

    towers: Towers
    _known: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    sees: ClassVar[Sees] = "pictures"
    anchored: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`clip`, the model's address and a digest of its weights."""
        return f"clip {self.towers.name}"

    def best(self, sort: Sort) -> Best:
        """The most of a new fact, the least of a style or an object."""
        return "most" if sort == "fact" else "least"

    def check(self, question: Question) -> None:
        """Refuse texts that the model does not read whole.

        Raises:
            UsageError: as said.
        """
        prompts = [text for pair in question.pairs for text in (pair.source, pair.target)]
        for text in (*texts_of(question), *prompts):
            self.towers.ids(text)

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """The cosines of the pictures, in hundredths.

        Raises:
            UsageError: a text that is longer than the model reads.
        """
        found = self.towers.pictures(pictures_of(seen))
        about = F.normalize(self._texts(texts_of(question)).mean(0), dim=0)
        near = _cosines(found, self._texts([pair.source for pair in seen.pairs]))
        far = _cosines(found, self._texts([pair.target for pair in seen.pairs]))
        shown: list[bool] = (near > far).tolist()
        return marked(self.name, (100 * _cosines(found, about)).tolist(), shown)

    def _texts(self, texts: Sequence[str]) -> Tensor:
        """Directions of texts, (n, d); each distinct one is read once, by itself."""
        for text in texts:
            if text not in self._known:
                self._known[text] = self.towers.texts([text])[0]
        return torch.stack([self._known[text] for text in texts])


def texts_of(question: Question) -> tuple[str, ...]:
    """The texts whose mean stands for what is scored."""
    if question.sort == "style":
        return tuple(text.format(question.concept) for text in STYLE)
    name = question.target if question.sort == "fact" else question.concept
    return tuple(text.format(name) for text in THING)


def _cosines(pictures: Tensor, texts: Tensor) -> Tensor:
    """Of pictures (n, d) and texts (n, d) or (d,), row by row, so that no row sees another."""
    return (pictures * texts).sum(1)
