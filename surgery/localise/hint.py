"""The hint of the probe `weights`: text states and value matrices, and nothing run but the text.

The matrices and the text towers are read from the file itself; of a family whose text this release
does not compute from the weights, from the model in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from surgery.edits.base import Ask, Matrix
from surgery.edits.delta import Array
from surgery.gather import Weights as Numbers
from surgery.layout import Layout
from surgery.localise.memory import peak_mb
from surgery.localise.study import Study
from surgery.localise.wish import Circumstance
from surgery.model import load_model
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
Read = tuple[list[tuple[Array, Array]], list[Matrix]]


def hint(
    checkpoint: Checkpoint, layout: Layout, probe: Weights, study: Study, where: Circumstance
) -> ProbeReport:
    """How strongly each window answers when the concept leaves the prompts.

    Raises:
        CheckpointError, EditError: weights or a tokenizer are missing or damaged.
    """
    began = time.monotonic()
    from_files = layout.family in READS
    read: Callable[..., Read] = _from_files if from_files else _from_model
    layers, changes = read(checkpoint, layout, study, where)
    found = shares(layers, changes)
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


def _from_files(checkpoint: Checkpoint, layout: Layout, study: Study, where: Circumstance) -> Read:
    numbers = Numbers(checkpoint, tokenizer=where.tokenizer)
    values, outs = layout.select("cross_attn.v"), layout.select("cross_attn.out")
    layers = [
        (numbers.value(value), numbers.value(out)) for value, out in zip(values, outs, strict=True)
    ]
    states = _states(layout, numbers, study)
    return layers, [next(states) - next(states) for _ in study.question.pairs]


def _states(layout: Layout, numbers: Numbers, study: Study) -> Iterator[Matrix]:
    """The states of all prompts, with the concept and without by turns, (places, context) each."""
    tokens = _tokens(layout, numbers)
    texts = [text for pair in study.question.pairs for text in (pair.target, pair.source)]
    prefixes = [one for text in texts for one in tokens.prefixes(Ask(text, None, "whole"))]
    states = conditioning(prefixes, layout, numbers)
    return iter(np.split(states, len(texts)))


def _tokens(layout: Layout, numbers: Numbers) -> Tokens:
    table = layout.select("text.token_embedding[0]")[0].tensor
    rows = numbers.checkpoint[table].shape[0]
    return find_tokens(numbers.checkpoint, layout.tower("text"), rows, numbers.tokenizer)


def _from_model(checkpoint: Checkpoint, layout: Layout, study: Study, where: Circumstance) -> Read:
    """Layers that norm the text each in its own way answer to changes of what they norm."""
    model = load_model(checkpoint, config=where.config, tokenizer=where.tokenizer)
    numbers = Numbers(checkpoint, tokenizer=where.tokenizer)
    values, outs = layout.select("cross_attn.v"), layout.select("cross_attn.out")
    layers = [
        (numbers.value(value), numbers.value(out)) for value, out in zip(values, outs, strict=True)
    ]
    pairs = study.question.pairs
    told = model.context(model.encode([text for one in pairs for text in (one.target, one.source)]))
    states = told.double().cpu().numpy()
    return layers, [states[2 * n] - states[2 * n + 1] for n in range(len(pairs))]
