"""The model's own CLIP BPE tokenizer, learned from every caption of the world.

The vocabulary is kept small on purpose: names fall into several sub-words, as rare names do in
the vocabulary of the large models, so that a concept's last token alone does not spell it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tokenizers import Tokenizer, trainers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

from surgery.atelier.world import captions, loose_captions, scenes

MERGES = 45
LENGTH = 40
"""Positions of the text tower: the longest caption and room for a user's."""

START, END = "<|startoftext|>", "<|endoftext|>"


def corpus() -> Iterator[str]:
    for scene in scenes():
        yield from captions(scene)
        yield from loose_captions(scene)


def learn_tokenizer() -> CLIPTokenizer:
    """A CLIPTokenizer with the byte alphabet, MERGES merges and the two special tokens."""
    letters = sorted(ByteLevel.alphabet())
    alphabet = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = _learn_merges()
    tokens = [*alphabet, *("".join(pair) for pair in merges), START, END]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=LENGTH)


def _learn_merges() -> list[tuple[str, str]]:
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    blank = CLIPTokenizer().backend_tokenizer
    learner.normalizer, learner.pre_tokenizer = blank.normalizer, blank.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=512 + MERGES,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(corpus(), trainer)
    learned = json.loads(learner.to_str())["model"]["merges"][:MERGES]
    return [(one[0], one[1]) for one in learned]
