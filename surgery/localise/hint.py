"""The hint of the probe `weights`: text states and value matrices, and nothing run but the text.

The matrices and the text towers are read from the file itself; of a family whose text this release
does not compute from the weights, from the model in memory.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from surgery.edits.base import Ask, Matrix
from surgery.edits.delta import Array
from surgery.gather import Weights as Numbers
from surgery.layout import Layout
from surgery.localise.study import Study
from surgery.localise.wish import Circumstance
from surgery.model import load_model
from surgery.model.memory import peak_mb
from surgery.numerics.bootstrap import crossed_weights, interval
from surgery.numerics.gains import shares
from surgery.probes.weights import Weights
from surgery.probes.windows import bounds
from surgery.report import Cost, ProbeReport, Score
from surgery.store.checkpoint import Checkpoint
from surgery.text_states import READS, conditioning
from surgery.tokens import Tokens, find_tokens

NOTE = (
    "A hint: neither what the picture asks of these layers nor what they then do is looked at. "
    "Run quick or locogen before an edit."
)


def hint(
    checkpoint: Checkpoint, layout: Layout, probe: Weights, study: Study, where: Circumstance
) -> ProbeReport:
    """How strongly each window answers when the concept leaves the prompts.

    Raises:
        CheckpointError, EditError: weights or a tokenizer are missing or damaged.
    """
    began = time.monotonic()
    numbers = Numbers(checkpoint, tokenizer=where.tokenizer)
    read = _from_files if layout.family in READS else _from_model
    pairs = study.question.pairs
    texts = [*(pair.source for pair in pairs), *(pair.target for pair in pairs)]
    source, target = np.split(read(layout, numbers, texts, where), 2)
    found = shares(_layers(layout, numbers), target - source)
    scores = tuple(_score(arm.site, found) for arm in probe.arms(layout, ()))
    best, scores = probe.found(scores)
    question = study.question
    return ProbeReport(
        model=checkpoint.address,
        fingerprint=checkpoint.fingerprint,
        method=probe.name,
        concept=question.concept,
        target=question.target,
        sort=question.sort,
        judge="none: shares of the value matrices",
        best="most",
        scores=scores,
        found=best,
        prompts=tuple((pair.source, pair.target) for pair in question.pairs),
        settings={"prompts": len(question.pairs)},
        cost=Cost(0, time.monotonic() - began, peak_mb()),
        notes=(NOTE,),
    )


def _score(site: str, found: Matrix) -> Score:
    """A window's share: the sum of its layers', over the prompts."""
    first, stop = bounds(site)
    own = found[:, first:stop].sum(axis=1)
    low, high = interval(crossed_weights((len(own),), 2000, 0) @ own)
    mean, std = float(own.mean()), float(own.std(ddof=1)) if len(own) > 1 else 0.0
    if len(own) == 1:
        return Score(site, mean, std, 1, mean)
    return Score(site, mean, std, len(own), mean, low, high)


def _layers(layout: Layout, numbers: Numbers) -> list[tuple[Array, Array]]:
    sites = zip(layout.select("cross_attn.v"), layout.select("cross_attn.out"), strict=True)
    return [(numbers.value(value), numbers.value(out)) for value, out in sites]


def _from_files(layout: Layout, numbers: Numbers, texts: Sequence[str], _: Circumstance) -> Matrix:
    """The states of prompts, (n, places, context)."""
    tokens = _tokens(layout, numbers)
    prefixes = [one for text in texts for one in tokens.prefixes(Ask(text, None, "whole"))]
    return np.stack(np.split(conditioning(prefixes, layout, numbers), len(texts)))


def _tokens(layout: Layout, numbers: Numbers) -> Tokens:
    table = layout.select("text.token_embedding[0]")[0].tensor
    rows = numbers.checkpoint[table].shape[0]
    return find_tokens(numbers.checkpoint, layout.tower("text"), rows, numbers.tokenizer)


def _from_model(
    layout: Layout, numbers: Numbers, texts: Sequence[str], where: Circumstance
) -> Matrix:
    """The same, of a family whose layers each norm the text: before they do."""
    model = load_model(numbers.checkpoint, config=where.config, tokenizer=where.tokenizer)
    states: Matrix = model.context(model.encode(texts)).double().cpu().numpy()
    return states
