"""A CLIP or SigLIP model from a folder or the Hub: texts and pictures to directions.

Only safetensors are read, and after the model is here nothing is asked of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer, CLIPModel, PreTrainedModel, SiglipModel
from transformers.utils import logging as transformers_logging

from surgery.errors import CheckpointError, UsageError
from surgery.judges.pixels import HALF, Preparation, preparation
from surgery.layout import TextShape
from surgery.store.address import locate
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.text import quoted, visible
from surgery.tokens import find_tokens

KINDS: Mapping[str, type[PreTrainedModel]] = {"clip": CLIPModel, "siglip": SiglipModel}
BATCH = 32
_SAMPLED = 4096
"""Bytes of each tensor that its digest is made of: a large model must not be read for its name."""
_BUILT_IN = "atelier"

transformers_logging.disable_progress_bar()


@dataclass(frozen=True, slots=True, eq=False)
class Towers:
    """Both towers of a model, ready to use.

    Args:
        name: its address, and a digest of its weights.
        model: with `get_text_features` and `get_image_features`.
        split: a text → its token ids, without padding.
        length: token ids that the text tower reads.
        pad: the id that fills them up.
        prepare: what is done to pictures first.
    """

    name: str
    model: PreTrainedModel
    split: Callable[[str], Sequence[int]]
    length: int
    pad: int
    prepare: Preparation

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, filled up.

        Raises:
            UsageError: the text is longer than the tower reads.
            CheckpointError: the tokenizer knows more tokens than the tower.
        """
        found = list(self.split(text))
        if max(found) >= self.model.config.text_config.vocab_size:
            raise CheckpointError(
                f"its tokenizer is another model's: {quoted(text)} does not fit it", where=self.name
            )
        if len(found) > self.length:
            raise UsageError(
                f"the text {quoted(text)} has {len(found)} tokens, begin and end included, and "
                f"{self.name} reads {self.length}",
                hint="shorten it, or take another judge",
            )
        return found + [self.pad] * (self.length - len(found))

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Directions of texts, (n, d), each of length 1."""
        ids = torch.tensor([self.ids(text) for text in texts], device=self.model.device)
        made: Tensor = self.model.get_text_features(ids).pooler_output
        return F.normalize(made, dim=1)

    @torch.no_grad()
    def pictures(self, pictures: Tensor) -> Tensor:
        """Directions of pictures (n, 3, H, W) in [-1, 1], (n, d), each of length 1."""
        parts = [
            self.model.get_image_features(self.prepare(some.to(self.model.device))).pooler_output
            for some in pictures.split(BATCH)
        ]
        return F.normalize(torch.cat(parts), dim=1)


def load_towers(address: str | Path, device: str = "cpu") -> Towers:
    """Load a CLIP or SigLIP model.

    Args:
        address: a model folder, `org/name[@revision]` on the Hub, or `atelier` for its own.

    Raises:
        CheckpointError: it is no such model, or incomplete.
        HubError: the Hub does not give it.
    """
    own = str(address) == _BUILT_IN
    opened = open_checkpoint(_own_folder() if own else address)
    kind = _kind(opened)
    opened = opened.here()
    model = _model(opened, kind).to(device)
    model.eval().requires_grad_(False)
    split, pad = _tokenizer(opened, kind, model)
    return Towers(
        name=f"{_BUILT_IN if own else visible(opened.address)} {digest_of(opened)}",
        model=model,
        split=split,
        length=model.config.text_config.max_position_embeddings,
        pad=pad,
        prepare=_preparation(opened, model.config.vision_config.image_size),
    )


def _own_folder() -> Path:
    return locate(_BUILT_IN).parent / "clip"


def _is_own(opened: Checkpoint) -> bool:
    return opened.root.resolve() == _own_folder().resolve()


def _kind(opened: Checkpoint) -> str:
    config = opened.json("config.json") if opened.kind != "file" else None
    kind = config.get("model_type") if config else None
    if kind not in KINDS:
        found = f"{quoted(str(kind))} is" if kind else "there is"
        raise CheckpointError(
            f"{found} no CLIP or SigLIP model",
            where=visible(opened.address),
            hint="--clip names a folder with config.json and weights of both towers, such as "
            "openai/clip-vit-large-patch14 on the Hub",
        )
    return str(kind)


def _model(opened: Checkpoint, kind: str) -> PreTrainedModel:
    where = visible(opened.address)
    try:
        with quiet():
            model, report = KINDS[kind].from_pretrained(
                opened.root,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        reason = visible(str(error).partition("\n")[0])
        raise CheckpointError(f"transformers cannot load it: {reason}", where=where) from error
    if missing := sorted(report["missing_keys"]):
        # Left alone they would be drawn at random, and judge so.
        raise CheckpointError(
            f"{len(missing)} tensors are missing, such as {quoted(missing[0])}", where=where
        )
    found: PreTrainedModel = model
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's table of missing tensors off the screen: one sentence says it."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def _tokenizer(
    opened: Checkpoint, kind: str, model: PreTrainedModel
) -> tuple[Callable[[str], Sequence[int]], int]:
    """What splits a text into ids, and the id that pads."""
    text = model.config.text_config
    if kind == "clip":
        shape = TextShape(
            heads=text.num_attention_heads,
            layers=text.num_hidden_layers,
            width=text.hidden_size,
            # Length is checked with the judge's name, for both kinds alike.
            max_length=2**31,
            activation=text.hidden_act,
        )
        given = locate(_BUILT_IN) / "tokenizer" if _is_own(opened) else None
        tokens = find_tokens(opened, shape, text.vocab_size, given)
        return tokens.encode, tokens.pad
    try:
        tokenizer = AutoTokenizer.from_pretrained(opened.root, local_files_only=True)
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        reason = visible(str(error).strip().partition("\n")[0])
        raise CheckpointError(
            f"its tokenizer cannot be read: {reason}", where=visible(opened.address)
        ) from error
    return lambda said: tokenizer(said).input_ids, int(tokenizer.pad_token_id)


def _preparation(opened: Checkpoint, side: int) -> Preparation:
    if _is_own(opened):
        return Preparation(side, side, mean=HALF, std=HALF)
    name, config = "preprocessor_config.json", opened.json("preprocessor_config.json")
    if config is None and (whole := opened.json("processor_config.json")) is not None:
        name, inner = "processor_config.json", whole.get("image_processor")
        config = inner if isinstance(inner, dict) else None
    return preparation(config, side, f"{visible(opened.address)}: {name}")


def digest_of(opened: Checkpoint) -> str:
    """A digest of the headers and of the first values of every tensor: training moves them all."""
    digest = sha256(opened.fingerprint.encode())
    for name in sorted(opened):
        ref = opened[name]
        digest.update(ref.span(ref.start, min(ref.nbytes, _SAMPLED)))
    return digest.hexdigest()[:12]
