"""What a probe asks of a model: prompts with a concept, and the same prompts without it.

Opens no model and knows no architecture.
"""

from __future__ import annotations

from surgery.questions.sets import ask, questions
from surgery.questions.values import Pair, Question, Sort, Vocabulary
from surgery.questions.vocabulary import vocabulary_of

__all__ = ["Pair", "Question", "Sort", "Vocabulary", "ask", "questions", "vocabulary_of"]
