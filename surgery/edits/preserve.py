"""What an edit leaves alone: by default enough that a recipe that names nothing does no damage.

Text states share a large common part, so an edit of one key moves all others unless they are held.
Held are the empty prompt, the targets, and every place of many prompts: well-known concepts of
every kind in their templates, and plain captions. What shares its name with an erased concept is
left out. What a recipe names is held in the very prompts that its concepts are edited in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from surgery.edits.base import Ask, Concept, Kind
from surgery.edits.names import Names, within, words
from surgery.edits.templates import TEMPLATES, carriers, prompt_pairs, target_of

Reach = Literal["last", "eos", "name", "pads", "all"]

ARTISTS = (
    *("van gogh", "monet", "picasso", "rembrandt", "seurat", "mondrian", "hokusai", "pollock"),
    *("escher", "klimt", "kandinsky", "salvador dali", "leonardo da vinci", "michelangelo"),
    *("raphael", "caravaggio", "vermeer", "velazquez", "goya", "turner", "constable", "manet"),
    *("degas", "renoir", "cezanne", "gauguin", "toulouse-lautrec", "munch", "matisse", "chagall"),
    *("paul klee", "joan miro", "magritte", "frida kahlo", "georgia o'keeffe", "edward hopper"),
    *("andy warhol", "roy lichtenstein", "keith haring", "basquiat", "rothko", "botticelli"),
    *("albrecht durer", "bosch", "bruegel", "el greco", "hiroshige", "alphonse mucha"),
    *("gustave dore", "william blake", "norman rockwell", "thomas kinkade", "greg rutkowski"),
)
OBJECTS = (
    *("cat", "dog", "horse", "bird", "fish", "cow", "elephant", "bear", "lion", "rabbit"),
    *("car", "bus", "train", "bicycle", "boat", "airplane", "truck", "house", "castle", "bridge"),
    *("tree", "flower", "mountain", "beach", "forest", "river", "chair", "table", "lamp", "clock"),
    *("book", "cup", "bottle", "apple", "banana", "pizza", "cake", "guitar", "piano", "camera"),
    *("computer", "telephone", "shoe", "hat", "umbrella", "robot", "ball", "star", "circle"),
    *("square", "triangle", "cross", "heart", "ring", "man", "woman", "child"),
)
FACTS = (
    *("the president of france", "the prime minister of canada", "the king of spain"),
    *("the queen of denmark", "the pope", "the mayor of london", "the emperor of japan"),
    *("the flag of france", "the flag of japan", "the flag of canada", "the flag of brazil"),
    *("the flag of italy", "the capital of italy", "the capital of egypt", "the eiffel tower"),
    *("the statue of liberty", "the great wall of china", "the white house", "mount fuji"),
    *("the taj mahal", "the logo of apple", "the currency of japan", "the author of hamlet"),
)
SIBLINGS: Mapping[Kind, tuple[str, ...]] = {"style": ARTISTS, "object": OBJECTS, "fact": FACTS}

NAMED = 10.0
"""How many built-in prompts one that the recipe names counts for."""

CAPTIONS = (
    "a photo",
    "a painting",
    "a picture of a red ball",
    "a photo of a red ball",
    "a painting of a house",
    "a painting of a yellow star",
    "a drawing of a blue circle",
    "a picture of a green triangle",
    "an image of a white square",
    "a photo of a dog",
    "a photo of a cat sleeping on a sofa",
    "a painting of a horse in a field",
    "a portrait of a woman",
    "a portrait of an old man with a hat",
    "a photo of two children playing",
    "a photo of a crowd in the street",
    "a city at night",
    "a mountain lake in the morning",
    "a beach with palm trees",
    "a forest in autumn",
    "a field of flowers under a blue sky",
    "a snowy village",
    "a castle on a hill",
    "a ship on the sea",
    "a train at the station",
    "a car parked near a tree",
    "a plane in the clouds",
    "a bowl of fruit on a table",
    "a plate of food and a glass of wine",
    "a cup of coffee and a book",
    "a kitchen with a window",
    "a bedroom with a large bed",
    "a black and white photograph of a bridge",
    "a watercolor of a garden",
    "an oil painting of the sea",
    "a pencil sketch of a face",
    "a digital illustration of a robot",
    "a cartoon of a bird",
    "a map of the world",
    "the flag of a country",
    "in the style of a child's drawing",
    "high quality, detailed, 4k",
)


def preserve_asks(
    concepts: Sequence[Concept],
    named: Sequence[str] = (),
    *,
    defaults: bool = True,
    reach: Reach = "last",
    contexts: bool = False,
) -> tuple[Ask, ...]:
    """What to hold while these concepts are edited.

    Args:
        concepts: what is erased; their kinds choose the siblings.
        named: further concepts to hold, in the same prompts.
        defaults: whether to hold the built-in set too.
        reach: how far into a prompt the edit goes; siblings are held as far.
        contexts: whether concepts are edited in prompts that show something else too.
    """
    around = carriers(concepts, contexts=contexts) if named else ()
    own = [ask for name in named for ask in _sibling(around, name, reach)]
    asks = [replace(ask, weight=NAMED) for ask in own]
    if defaults:
        asks += [replace(ask, optional=True) for ask in _defaults(concepts, reach)]
    places = {replace(ask, optional=False, weight=1.0): ask for ask in reversed(asks)}
    return tuple(places.values())[::-1]


def _defaults(concepts: Sequence[Concept], reach: Reach) -> list[Ask]:
    erased = Names(concept.erase for concept in concepts)
    asks = [Ask("", None, "bos"), Ask("", None, "eos"), Ask("", None, "pads")]
    goals = set(map(target_of, concepts))
    free = {goal for goal in goals if not _clashes(goal, erased)}
    for concept in concepts:
        if (target := target_of(concept)) in free:
            asks += [Ask(goal, target, "subject") for _, goal in prompt_pairs(concept)]
    for kind, names in SIBLINGS.items():
        for name in names:
            asks += [] if _clashes(name, erased) else _sibling(TEMPLATES[kind], name, reach)
    asks += [Ask(text, None, "prompt") for text in CAPTIONS if not _clashes(text, erased)]
    return asks


def _sibling(templates: Iterable[str], name: str, reach: Reach) -> list[Ask]:
    """Every place of its prompts, since an edit moves them all; padding only if it is edited."""
    asks = [Ask(template.replace("{}", name), name, "prompt") for template in templates]
    return [*asks, Ask(name, name, reach)] if reach in ("pads", "all") else asks


def _clashes(name: str, erased: Names) -> bool:
    own = words(name)
    return any(within(other, own) or within(own, other) for other in erased.sharing(own))
