from __future__ import annotations

from surgery.atelier.world import ARTISTS as PAINTERS
from surgery.edits.names import words
from surgery.edits.neutral import neutral_prompts
from surgery.edits.phrasings import LANGUAGES, PARAPHRASES
from surgery.edits.preserve import ARTISTS, CAPTIONS, FACTS, OBJECTS
from surgery.edits.templates import TEMPLATES, filled

BANK = [words(prompt) for prompt in neutral_prompts()]
# Words that are names as well as words of the language.
PLAIN_WORDS = {"of", "da", "el", "van"}


def test_the_bank_is_large_and_its_prompts_are_short() -> None:
    assert len(BANK) >= 520
    lengths = [len(prompt.split()) for prompt in neutral_prompts()]
    assert min(lengths) >= 2
    assert max(lengths) <= 14
    assert sum(lengths) / len(lengths) <= 8


def test_no_prompt_is_there_twice_or_badly_spaced() -> None:
    assert len(set(BANK)) == len(BANK)
    assert all(prompt == " ".join(prompt.split()) for prompt in neutral_prompts())


def test_the_bank_is_varied() -> None:
    vocabulary = {word for prompt in BANK for word in prompt}
    assert len(vocabulary) > 1500
    assert len({prompt[:2] for prompt in BANK}) > 0.8 * len(BANK)
    assert sum(prompt[0] in ("a", "an") for prompt in BANK) < 0.5 * len(BANK)


def test_no_prompt_is_one_that_edits_are_solved_on_or_hold() -> None:
    names = (*ARTISTS, *OBJECTS, *FACTS, "painting", "object")
    used = {words(prompt) for kind in TEMPLATES for name in names for prompt in filled(kind, name)}
    used |= {words(caption) for caption in CAPTIONS}
    assert not used & set(BANK)


def test_no_prompt_is_another_wording_of_a_concept() -> None:
    texts = [text for kind in PARAPHRASES for text in (*PARAPHRASES[kind], *LANGUAGES[kind])]
    used = {words(text.replace("{}", name)) for text in texts for name in (*ARTISTS, *OBJECTS)}
    assert not used & set(BANK)


def test_no_prompt_names_an_artist() -> None:
    known = {word for name in (*ARTISTS, *PAINTERS) for word in words(name)} - PLAIN_WORDS
    assert not [prompt for prompt in BANK if known & set(prompt)]


def test_every_prompt_is_in_small_letters_so_that_no_proper_name_slips_in() -> None:
    assert all(prompt == prompt.casefold() for prompt in neutral_prompts())
    assert all(prompt.isascii() and prompt.isprintable() for prompt in neutral_prompts())
