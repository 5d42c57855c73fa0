"""Scores of components: a model is run, and each weight or row is told what it counts for.

What is wanted an edit or a user says; what is done with the scores, the edits. To add a way to
score: its file, and a line in `SCORERS`.
"""

from __future__ import annotations

from surgery.scores.attribution import Attribution
from surgery.scores.base import Scorer
from surgery.scores.importance import Importance
from surgery.scores.neurons import Neurons

SCORERS: dict[str, type[Scorer]] = {
    "attribution": Attribution,
    "conceptprune": Importance,
    "neurons": Neurons,
}

__all__ = ["SCORERS", "Scorer"]
