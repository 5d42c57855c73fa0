"""Prompts around a concept, one list per kind, and the plain word that stands for each kind.

A concept and its target go into the same template: all that differs between the two prompts is the
subject, so that the words around it keep their place and their meaning. But nobody paints "in the
style of painting": a style that becomes a plain medium has the bare medium, "a painting", as its
target prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

CONTEXTS: Mapping[Kind, Mapping[str, str]] = {
    "style": {
        "a painting of a red house in the style of {}": "{} of a red house",
        "a cat in the style of {}": "{} of a cat",
        "a picture of a blue tree by {}": "{} of a blue tree",
        "a woman by {}": "{} of a woman",
        "a photo of a green car in the style of {}": "{} of a green car",
        "a flower, in the style of {}": "{} of a flower",
    },
    "object": {text: text for text in ("a painting of {}", "a red {}", "a small {} in a garden")},
    "fact": {text: text for text in ("a painting of {}", "an old picture of {}", "{} at night")},
}
"""Prompts that show something else too, and what stands for a style's where it becomes a medium.

States of finished text hold the whole prompt, so that an edit of them must see a concept in company
to find it there again.
"""

MEDIA = ("painting", "photo", "photograph", "picture", "image", "drawing", "illustration", "art")
UNCOUNTED = ("art",)
PLAIN: Mapping[Kind, str] = {"style": "painting", "object": "object"}


def target_of(concept: Concept) -> str:
    """The concept's target, or the plain word of its kind."""
    return concept.target if concept.target is not None else PLAIN[concept.kind]


def medium_of(target: str) -> str | None:
    """`a painting` for `painting` and for itself; None for what is no medium."""
    article, _, noun = target.strip().casefold().rpartition(" ")
    if noun not in MEDIA or article not in ("", "a", "an"):
        return None
    if noun in UNCOUNTED:
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def filled(kind: Kind, name: str) -> tuple[str, ...]:
    """The prompts of a kind with a name in them."""
    return tuple(template.replace("{}", name) for template in TEMPLATES[kind])


def carriers(concepts: Iterable[Concept], *, contexts: bool = False) -> tuple[str, ...]:
    """The templates of the concepts' kinds, and all others with a {} that they are edited in."""
    found: dict[str, None] = {}
    for kind, prompts in dict.fromkeys((one.kind, one.prompts) for one in concepts):
        own = [one if isinstance(one, str) else one[0] for one in prompts or ()]
        more = CONTEXTS[kind] if contexts and prompts is None else ()
        found |= dict.fromkeys((*TEMPLATES[kind], *more, *own))
    return tuple(template for template in found if "{}" in template)


def prompt_pairs(concept: Concept, *, contexts: bool = False) -> tuple[tuple[str, str], ...]:
    """(source, target) prompts of a concept: its own, or those of its kind.

    Args:
        contexts: whether those of its kind include prompts that show something else too.
    """
    if concept.prompts is not None:
        return tuple(_pair(entry, concept) for entry in concept.prompts)
    plain = dict.fromkeys(TEMPLATES[concept.kind], "{}")
    more = CONTEXTS[concept.kind] if contexts else {}
    both = {**plain, **more}
    return tuple(_kind_pair(template, bare, concept) for template, bare in both.items())


def _pair(entry: str | tuple[str, str], concept: Concept) -> tuple[str, str]:
    if isinstance(entry, str):
        return _kind_pair(entry, "{}", concept)
    source, goal = entry
    return source.replace("{}", concept.erase), goal.replace("{}", target_of(concept))


def _kind_pair(template: str, plain: str, concept: Concept) -> tuple[str, str]:
    target = target_of(concept)
    medium = medium_of(target) if concept.kind == "style" else None
    goal = plain.replace("{}", medium) if medium else template.replace("{}", target)
    return template.replace("{}", concept.erase), goal
