"""How a concept and what takes its place become two prompts that differ in nothing else.

Nobody paints "in the style of painting": where a style becomes a plain medium, the other prompt is
the plain picture, `a painting of a red house` for `a red house in the style of monet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from surgery.edits.templates import MEDIA, medium_of
from surgery.errors import UsageError
from surgery.questions.values import Pair, Sort
from surgery.store.text import quoted

Templates = Mapping[str, str]
"""A prompt with {} for the concept -> the same with {} for `a painting`, its article with it."""

_MANNER = re.compile(r",?\s*(?:\b(?:in|with|after) the (?:style|manner) of|\bby|\blike) \{\}")
_MEDIUM = re.compile(rf"(?:an? )?(?:{'|'.join(MEDIA)})s?\b(?: of)?\s*", re.IGNORECASE)


def pairs_of(templates: Templates, concept: str, target: str, sort: Sort) -> tuple[Pair, ...]:
    """The pairs that templates give for a concept.

    Raises:
        UsageError: two prompts that are the same.
    """
    medium = medium_of(target) if sort == "style" else None
    return tuple(
        Pair(
            template.replace("{}", concept),
            plain.replace("{}", medium) if medium else template.replace("{}", target),
            concept,
        )
        for template, plain in templates.items()
    )


def templates_from(prompts: Iterable[str], concept: str, sort: Sort) -> Templates:
    """Templates from prompts of the user's own, with {} or the concept in each.

    Raises:
        UsageError: a prompt without either, or of a style in words that are not understood.
    """
    return {
        template: plain_of(template) if sort == "style" else template
        for template in (_template(prompt, concept) for prompt in prompts)
    }


def plain_of(template: str) -> str:
    """`{} of a red house` for `a picture of a red house in the style of {}`.

    Raises:
        UsageError: nothing in it says `in the style of {}`, `by {}` or the like.
    """
    rest, found = _MANNER.subn("", template)
    if template.strip() == "{}":
        return "{}"
    if not found or "{}" in rest:
        raise UsageError(
            f"the prompt {quoted(template)} does not say what is left of it without the style",
            hint="write it as 'a red house in the style of {}', or 'a red house by {}'",
        )
    rest = rest.strip(" ,")
    thing = _MEDIUM.sub("", rest, count=1) if _MEDIUM.match(rest) else rest
    return f"{{}} of {thing}" if thing else "{}"


def _template(prompt: str, concept: str) -> str:
    if "{}" in prompt:
        return prompt
    template, found = re.subn(
        rf"(?<!\w){re.escape(concept)}(?!\w)", "{}", prompt, flags=re.IGNORECASE
    )
    if not found:
        raise UsageError(
            f"the prompt {quoted(prompt)} holds neither {{}} nor {quoted(concept)}",
            hint="say where the concept stands by {}",
        )
    return template
