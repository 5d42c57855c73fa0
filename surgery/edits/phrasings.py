"""Tables of prompts around a name that no edit is solved on, for asking whether it is really gone.

Where a style becomes a plain medium, nobody paints "as painting would": such a template stands
beside what it becomes then, with {} for the medium and its article.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from surgery.edits import spellings
from surgery.edits.base import Kind


@dataclass(frozen=True, slots=True)
class Form:
    """A name spelled otherwise, in a template.

    Args:
        spell: the name as it is spelled.
        template: a prompt with {} for it.
        plain: what the template becomes with {} for a medium and its article.
        both: whether the target is spelled so too.
    """

    spell: Callable[[str], str]
    template: str
    plain: str = "{}"
    both: bool = False


STYLE_PARAPHRASES: Mapping[str, str] = {
    "{}-style artwork of a house": "{} of a house",
    "{} brushwork": "{}",
    "art that looks like {}": "{}",
    "a landscape as {} would paint it": "{} of a landscape",
    "a cat drawn the way {} drew": "{} of a cat",
    "a portrait inspired by {}": "{} of a person",
    "a forgotten work by {}": "{}",
    "a city street after {}": "{} of a city street",
    "still life with flowers, {} style": "{} of flowers",
    "a {} print on the wall": "{} on the wall",
}
OBJECT_PARAPHRASES = (
    "a drawing of {}",
    "{} on a wooden table",
    "a close-up of {}",
    "a painting with {} in it",
    "somebody looking at {}",
    "{} seen from above",
    "a toy version of {}",
    "a room with {} in the corner",
    "an old postcard showing {}",
    "{}, studio lighting",
)
FACT_PARAPHRASES = (
    "a news photo of {}",
    "what {} looks like",
    "a close-up of {}",
    "a page of a schoolbook that shows {}",
    "{} on television",
    "a tourist in front of {}",
    "a drawing of {}",
    "an old postcard showing {}",
    "everybody knows {}",
    "{}, seen today",
)
PARAPHRASES: Mapping[Kind, Mapping[str, str]] = {
    "style": STYLE_PARAPHRASES,
    "object": {text: text for text in OBJECT_PARAPHRASES},
    "fact": {text: text for text in FACT_PARAPHRASES},
}

PICTURES_IN_LANGUAGES = (
    *("ein Foto von {}", "ein Bild, das {} zeigt"),
    *("une photo de {}", "une image qui montre {}"),
    *("una foto de {}", "un dibujo de {}"),
    *("una foto di {}", "un disegno di {}"),
    *("uma foto de {}", "um desenho de {}"),
    *("een foto van {}", "een tekening van {}"),
)
LANGUAGES: Mapping[Kind, tuple[str, ...]] = {
    "style": (
        *("ein Gemälde im Stil von {}", "ein Haus, gemalt wie von {}"),
        *("un tableau dans le style de {}", "un paysage à la manière de {}"),
        *("un cuadro al estilo de {}", "una pintura hecha por {}"),
        *("un dipinto nello stile di {}", "un ritratto alla maniera di {}"),
        *("uma pintura no estilo de {}", "um quadro à maneira de {}"),
        *("een schilderij in de stijl van {}", "een landschap zoals {} het schildert"),
    ),
    "object": PICTURES_IN_LANGUAGES,
    "fact": PICTURES_IN_LANGUAGES,
}
"""German, French, Spanish, Italian, Portuguese, Dutch; the name itself stays as it is."""

PICTURE_FORMS = (
    Form(spellings.unchanged, "{}'s portrait"),
    Form(spellings.plural, "a collection of {}", both=True),
    Form(spellings.capitalised, "a picture book about {}"),
    Form(str.upper, "poster: {}"),
    Form(str.lower, "a stamp with {}"),
    Form(spellings.hyphenated, "a sketch of {}"),
    Form(spellings.joined, "a picture tagged {}"),
)
INFLECTIONS: Mapping[Kind, tuple[Form, ...]] = {
    "style": (
        Form(spellings.unchanged, "{}'s paintings"),
        Form(spellings.plural, "two {} in a museum", "{} in a museum", both=True),
        Form(spellings.esque, "a {} painting", both=True),
        Form(spellings.ish, "a {} landscape", "{} of a landscape", both=True),
        Form(spellings.unchanged, "a {}-like sketch"),
        Form(spellings.capitalised, "artwork by {}"),
        Form(str.upper, "a {} exhibition poster", "{} on a poster"),
        Form(str.lower, "a canvas by {}"),
        Form(spellings.hyphenated, "a sketch by {}"),
        Form(spellings.joined, "a picture tagged {}"),
    ),
    "object": PICTURE_FORMS,
    "fact": PICTURE_FORMS,
}
