"""A judge from Python: a function that scores pictures, given or named by its module.

A function that the command line names is imported and run: it is the user's own code.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from surgery.edits.base import Kind
from surgery.errors import UsageError
from surgery.judges.base import Seen
from surgery.judges.given import GivenJudge, Scorer, given_judge
from surgery.questions import Pair, Question
from surgery.report.verify import JudgeFacts
from surgery.store.text import quoted
from surgery.verify.readers.base import Reading
from surgery.verify.values import Ask, PromptSet

PREFIX = "python:"


@dataclass(frozen=True, slots=True, eq=False)
class FunctionReader:
    """The more the function gives, the more of the concept is there.

    Args:
        judge: the function.
        threshold: from which score on the concept counts as shown.
    """

    judge: GivenJudge
    threshold: float = 0.5

    @property
    def facts(self) -> JudgeFacts:
        """Its name, and a digest of what its body says."""
        name, _, digest = self.judge.name.removeprefix("given ").rpartition(" ")
        unit = f"its own score; shown from {self.threshold:g} on"
        return JudgeFacts("function", name or digest, digest if name else "", "concept", unit)

    def check(self, asked: PromptSet) -> None:
        """Any concept will do."""

    def read(self, asked: PromptSet, asks: Sequence[Ask], pictures: Tensor) -> list[Reading]:
        """See `Reader`; a set without a concept is not read."""
        if asked.own or not asked.concept:
            return [Reading() for _ in asks]
        question = _question(asked)
        marks = self.judge.marks(question, Seen(pictures, question.pairs * len(asks), pictures))
        return [Reading(one.score, one.score >= self.threshold) for one in marks]


def function_reader(given: str | Scorer, threshold: float) -> FunctionReader:
    """The reader of a function, or of `python:module:function`.

    Raises:
        UsageError: there is no such function.
    """
    return FunctionReader(
        given_judge(_imported(given) if isinstance(given, str) else given), threshold
    )


def _imported(address: str) -> Scorer:
    module, _, name = address.removeprefix(PREFIX).partition(":")
    if not module or not name:
        raise UsageError(
            f"{quoted(address)} names no function", hint="write python:package.module:function"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        # A script on the search path does not look in the folder it is called from.
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the judge {quoted(address)} cannot be imported: {error}") from error
    if not callable(found):
        raise UsageError(f"the judge {quoted(address)} is no function")
    return cast(Scorer, found)


def _question(asked: PromptSet) -> Question:
    """What the function is told of a set: the concept, and what should be in its place."""
    sort = cast(Kind, asked.sort if asked.sort in ("style", "object", "fact") else "object")
    pair = Pair(f"a picture of {asked.concept}", "a picture", asked.concept)
    return Question(asked.concept, asked.target or "a picture", sort, (pair,))
