"""An image classifier as the judge: a concept is shown where one of its labels is the likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from surgery.errors import UsageError
from surgery.judges.classifier import Classifier
from surgery.report.verify import JudgeFacts
from surgery.store.text import nearest, quoted
from surgery.verify.readers.base import Reading
from surgery.verify.values import Ask, PromptSet


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierReader:
    """Scores how probable the concept's labels are together.

    Sets without a concept, and kept concepts that it has no label for, it does not read.
    """

    classifier: Classifier

    @property
    def facts(self) -> JudgeFacts:
        """The model."""
        found = self.classifier
        return JudgeFacts("classifier", found.address, found.digest, "concept", "probability")

    def check(self, asked: PromptSet) -> None:
        """Refuse an erased concept that it has no label for.

        Raises:
            UsageError: as said.
        """
        if asked.group != "erased" or self.classifier.numbers(asked.concept):
            return
        guess = nearest(asked.concept, self.classifier.labels)
        raise UsageError(
            f"the classifier has no label for {quoted(asked.concept)}",
            where=self.classifier.address,
            hint=f"did you mean {guess!r}?" if guess else "take another judge",
        )

    def read(self, asked: PromptSet, asks: Sequence[Ask], pictures: Tensor) -> list[Reading]:
        """See `Reader`."""
        numbers = () if asked.own else self.classifier.numbers(asked.concept)
        chances = self.classifier.chances(pictures)
        best = chances.argmax(1).tolist()
        if not numbers:
            return [Reading(seen=self.classifier.labels[one]) for one in best]
        scores = chances[:, list(numbers)].sum(1).tolist()
        return [
            Reading(score, one in numbers, self.classifier.labels[one])
            for score, one in zip(scores, best, strict=True)
        ]
