"""Prompts around a concept, one list per kind, and the plain word that stands for each kind.

A concept and its target go into the same template: all that differs between the two prompts is the
subject, so that the words around it keep their place and their meaning. But nobody paints "in the
style of painting": a style that becomes a plain medium has the bare medium, "a painting", as its
target prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

from surgery.edits.base import Concept, Kind

TEMPLATES: Mapping[Kind, tuple[str, ...]] = {
    "style": (
        "{}",
        "a painting in the style of {}",
        "a picture in the style of {}",
        "a photo in the style of {}",
        "a painting by {}",
    ),
    "object": ("{}", "an image of {}", "a photo of {}", "a picture of {}"),
    "fact": ("{}", "an image of {}", "a photo of {}", "a picture of {}"),
}

MEDIA = ("painting", "photo", "photograph", "picture", "image", "drawing", "illustration", "art")
PLAIN: Mapping[Kind, str] = {"style": "painting", "object": "object"}


def target_of(concept: Concept) -> str:
    """The concept's target, or the plain word of its kind."""
    return concept.target if concept.target is not None else PLAIN[concept.kind]


def filled(kind: Kind, name: str) -> tuple[str, ...]:
    """The prompts of a kind with a name in them."""
    return tuple(template.replace("{}", name) for template in TEMPLATES[kind])


def prompt_pairs(concept: Concept) -> tuple[tuple[str, str], ...]:
    """(source, target) prompts of a concept: its own, or those of its kind."""
    given = concept.prompts if concept.prompts is not None else TEMPLATES[concept.kind]
    return tuple(_pair(entry, concept) for entry in given)


def _pair(entry: str | tuple[str, str], concept: Concept) -> tuple[str, str]:
    target = target_of(concept)
    source, goal = (entry, entry) if isinstance(entry, str) else entry
    if isinstance(entry, str) and concept.kind == "style":
        goal = _plain_medium(target) or goal
    return source.replace("{}", concept.erase), goal.replace("{}", target)


def _plain_medium(target: str) -> str | None:
    """`a painting` for `painting` and for itself; None for what is no medium."""
    article, _, noun = target.strip().casefold().rpartition(" ")
    if noun not in MEDIA or article not in ("", "a", "an"):
        return None
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
