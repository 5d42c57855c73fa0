"""A recipe for what a probe found: YAML that says what was found, and that `apply` takes as it is.

Nothing is measured here, and no model is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from surgery.edits.names import within, words
from surgery.questions import Question, Sort
from surgery.recipe import load_recipe
from surgery.recipe_text import Plain, write_yaml
from surgery.store.text import visible

RIDGE = 0.03
STRENGTH: Mapping[Sort, float] = {"style": 1.2, "object": 1.4, "fact": 1.4}
"""A larger ridge asks for less change where no prompt needs any; the strength makes up for it."""

SHARED = 6
"""Prompts in which the siblings are held too; of more, too little of a style may change."""

EXPECT: Mapping[str, Plain] = {
    "leak": {"median": 0.9, "p95": 2.8},
    "neutral": {"median": 0.6},
    "untouched": "bit_identical",
}
"""What held, with room, for every concept of `atelier` that such a recipe was made for."""

FIRST_TEXT = "text.self_attn[0]"
_LONGEST_NAME = 60
_WINDOW = re.compile(r"(?P<kind>[^\[\]]+)\[(?P<first>\d+):(?P<stop>\d+)\]")


def draft_recipe(
    question: Question,
    window: str | None,
    *,
    model: str,
    evidence: Sequence[str],
    expect: Mapping[str, Plain] | None = None,
    layers: int | None = None,
) -> str:
    """The text of a recipe that takes a concept out of the layers found to hold it.

    Args:
        question: the concept, its target, the prompts to edit it in and what to hold.
        window: the matrices, such as `cross_attn.{k,v}[8:10]`; `text.self_attn[0]` for an edit of
            the text tower's first layer; None where no window holds the concept alone, for an edit
            of all cross-attention.
        model: the checkpoint's address.
        evidence: what was found, line by line; stands in the recipe as comments.
        expect: the recipe's gates; None for `EXPECT`.
        layers: how many cross-attention layers there are, to edit one more on either side of the
            window; None to edit the window alone. The probe replaced a prompt whole, an edit only
            changes what a name says: in the very window it may leave some of what the probe took.

    Raises:
        RecipeError: a question of which no recipe can be made, or gates that are none.
    """
    where = _widened(window, layers) if window and layers else window
    is_text = window == FIRST_TEXT
    found = "the layers that a probe pointed to" if where else "all cross-attention"
    head: dict[str, Plain] = {
        "version": 1,
        "name": _name(question, where),
        "description": _description(question, where),
        "model": model,
    }
    lines = [
        f"# Takes {_comment(question.concept)} out of {found}; drafted by a probe.",
        "#",
        *_evidence(evidence),
        *_block(head),
        "",
        "edits:",
        *_indented(_first_text(question) if is_text else _edit(question, where, window)),
        "",
        "# What the weights tell: how far prompts are from their target, and how far prompts moved",
        "# that the edit never saw. What is still visible, only pictures tell: surgery verify.",
        *_block({"expect": dict(EXPECT if expect is None else expect)}),
    ]
    text = "\n".join(lines) + "\n"
    load_recipe(text)
    return text


def _edit(question: Question, where: str | None, window: str | None) -> Iterator[str]:
    """The edit, as the one item of a list."""
    if where:
        yield "# LocoEdit (Basu et al. 2024): the keys and values of those layers."
        yield "- method: locoedit"
        if where != window:
            yield f"  # {_comment(window or '')}, and one layer more on either side: an edit"
            yield "  # changes what a name says, and takes less out of a layer than another prompt."
        yield from _indented(_block({"where": where}))
    else:
        yield "# No window holds it alone. Unified Concept Editing (Gandikota et al. 2024): all"
        yield "# keys and values of cross-attention."
        yield "- method: uce"
    yield "  concepts:"
    yield from _indented(_concept(question), 2)
    yield from _held(question)
    yield "  # A larger ridge asks for less change where no prompt needs any; a strength above 1"
    yield "  # makes up for what it takes from the change."
    yield from _indented(_block({"ridge": RIDGE, "strength": STRENGTH[question.sort]}))


def _first_text(question: Question) -> Iterator[str]:
    named = {"erase": question.concept, "target": question.target, "kind": question.sort}
    first, *rest = _block(named)
    yield "# Diff-QuickFix (Basu et al. 2024): the output map of the text tower's first attention."
    yield "- method: quickfix"
    yield "  concepts:"
    yield f"    - {first}"
    yield from _indented(rest, 3)
    yield from _held(question)


def _held(question: Question) -> Iterator[str]:
    if question.siblings:
        yield "  # What is like it, and must stay: it is held in the same prompts."
        yield "  preserve:"
        yield from (f"    - {_scalar(name)}" for name in question.siblings)


def _concept(question: Question) -> Iterator[str]:
    named = {"erase": question.concept, "target": question.target, "kind": question.sort}
    first, *rest = _block(named)
    yield f"- {first}"
    yield from _indented(rest)
    if pairs := usable(question):
        yield "  # The probe's own prompts, and what each is to be read as. What is held takes its"
        yield "  # place in the first of them too."
        yield "  prompts:"
        yield from (f"    - [{_scalar(source)}, {_scalar(target)}]" for source, target in pairs)


def usable(question: Question) -> tuple[tuple[str, str], ...]:
    """The pairs that an edit can be solved on: they name the concept and its target.

    The first are templates, so that what is held is held in them.
    """
    concept, target = words(question.concept), words(question.target)
    pairs = [
        pair
        for pair in question.pairs
        if words(pair.subject) == concept and within(target, words(pair.target))
    ]
    return tuple(
        (pair.source.replace(pair.subject, "{}") if n < SHARED else pair.source, pair.target)
        for n, pair in enumerate(pairs)
    )


def _widened(window: str, layers: int) -> str:
    """A window of consecutive layers with one more on either side, as far as there are any."""
    found = _WINDOW.fullmatch(window)
    if found is None:
        return window
    first, stop = int(found["first"]), int(found["stop"])
    return f"{found['kind']}[{max(0, first - 1)}:{min(layers, stop + 1)}]"


def _evidence(lines: Sequence[str]) -> Iterator[str]:
    shown = [_comment(line) for line in "\n".join(lines).splitlines()]
    if shown:
        yield "# What the probe found:"
        yield from (f"#   {line}".rstrip() for line in shown)
        yield "#"


def _comment(text: str) -> str:
    return visible(text.strip())


def _name(question: Question, window: str | None) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", question.concept.casefold()).strip("_") or question.sort
    method = "quickfix" if window == FIRST_TEXT else "locoedit" if window else "uce"
    return f"{method}_{slug[:_LONGEST_NAME]}"


def _description(question: Question, window: str | None) -> str:
    where = f"in {window}" if window else "in all cross-attention"
    return f"{question.concept} becomes {question.target}, {where}."


def _block(values: Mapping[str, Plain]) -> list[str]:
    return write_yaml(dict(values)).splitlines()


def _scalar(text: str) -> str:
    return write_yaml([text]).strip().removeprefix("- ")


def _indented(lines: Sequence[str] | Iterator[str], levels: int = 1) -> Iterator[str]:
    return (f"{'  ' * levels}{line}" for line in lines)
