"""How a name is spelled otherwise: inflected, joined, in capitals, by slips. From text to text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain, zip_longest

ARTICLE = re.compile(r"^an? +", re.IGNORECASE)
VOWELS = "aeiou"
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")


def unchanged(name: str) -> str:
    """The name as it is."""
    return name


def plural(name: str) -> str:
    """`dogs` for `dog` and `a dog`, `berries` for `berry`, `flags of x` for `flag of x`."""
    head, link, rest = ARTICLE.sub("", name).partition(" of ")
    small = head.casefold()
    if small.endswith(("s", "x", "z", "ch", "sh")):
        return f"{head}es{link}{rest}"
    if small.endswith("y") and small[-2:-1] not in VOWELS:
        return f"{head[:-1]}ies{link}{rest}"
    return f"{head}s{link}{rest}"


def esque(name: str) -> str:
    """`monetesque`, with a silent e left out: `magrittesque`."""
    return name.removesuffix("e") + "esque"


def ish(name: str) -> str:
    """`monetish`, with a silent e left out."""
    return name.removesuffix("e") + "ish"


def hyphenated(name: str) -> str:
    """`van-gogh` for `van gogh`, and `toulouse lautrec` for `toulouse-lautrec`."""
    pieces = name.split()
    return "-".join(pieces) if len(pieces) > 1 else name.replace("-", " ")


def joined(name: str) -> str:
    """`vangogh` for `van gogh`."""
    return "".join(name.replace("-", " ").split())


def capitalised(name: str) -> str:
    """`Van Gogh` for `van gogh`; other letters stay as they are."""
    return " ".join(word[:1].upper() + word[1:] for word in name.split())


def unaccented(name: str) -> str:
    """`dali` for `dalí`."""
    parts = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def misspelled(name: str, count: int, allowed: Callable[[str], bool]) -> tuple[str, ...]:
    """Slips in a name's longer words, the likeliest kinds in turn; fewer for a very short name.

    Letters are left out, swapped, doubled, or hit on the neighbouring key; accents are left out.
    The first and the last letter of a word stay as long as there are others to get wrong.

    Args:
        count: the most that are wanted.
        allowed: whether a spelling may be used.
    """
    kinds = [_in_words(name, slip) for slip in (_dropped, _swapped, _doubled, _neighbours)]
    in_turn = chain.from_iterable(zip_longest(*kinds))
    found: dict[str, None] = {}
    for spelling in chain([unaccented(name)], in_turn):
        if len(found) == count:
            break
        if spelling and spelling.casefold() != name.casefold() and allowed(spelling):
            found[spelling] = None
    return tuple(found)


def _in_words(name: str, slip: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """The name with one word in it slipped, the longest words first and in turn."""
    pieces = name.split()
    order = sorted(range(len(pieces)), key=lambda place: (-len(pieces[place]), place))
    longer = [place for place in order if len(pieces[place]) > 3] or order[:1]
    variants = ([(place, wrong) for wrong in slip(pieces[place])] for place in longer)
    for choice in chain.from_iterable(zip_longest(*variants)):
        if choice is not None:
            place, wrong = choice
            yield " ".join((*pieces[:place], wrong, *pieces[place + 1 :]))


def _dropped(word: str) -> Iterator[str]:
    """A doubled letter is forgotten first; a word of two letters keeps both."""
    places = sorted(_inner(word), key=lambda i: not _is_double(word, i))
    return (word[:i] + word[i + 1 :] for i in places)


def _swapped(word: str) -> Iterator[str]:
    """Two letters side by side change places, inside the word if it is long enough."""
    places = _inner(word[:-1]) or _inner(word)
    return (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places)


def _doubled(word: str) -> Iterator[str]:
    """Consonants before vowels, the outer letters last, and no letter three times."""
    inner = sorted(_inner(word), key=lambda i: word[i].casefold() in VOWELS)
    places = dict.fromkeys((*inner, len(word) - 1, 0))
    return (word[:i] + word[i] + word[i:] for i in places if not _is_double(word, i))


def _neighbours(word: str) -> Iterator[str]:
    """The key beside the right one, on the same row."""
    for i in _inner(word):
        for row in KEYBOARD:
            place = row.find(word[i].casefold())
            if place >= 0:
                yield (
                    word[:i] + row[place + 1 if place + 1 < len(row) else place - 1] + word[i + 1 :]
                )


def _inner(word: str) -> list[int]:
    """Places of the letters between the first and the last one, from the middle outwards."""
    places = [i for i in range(1, len(word) - 1) if word[i].isalnum()]
    return sorted(places, key=lambda i: (abs(2 * i - len(word)), i))


def _is_double(word: str, place: int) -> bool:
    return (
        word[place].casefold() in (word[place - 1 : place] + word[place + 1 : place + 2]).casefold()
    )
