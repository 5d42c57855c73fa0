"""An image-classification model from a folder or the Hub: pictures to chances of its labels.

Only safetensors are read, and no code that comes with a model is ever run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForImageClassification, PreTrainedModel

from surgery.edits.names import within, words
from surgery.errors import CheckpointError
from surgery.judges.pixels import Preparation, preparation
from surgery.judges.towers import BATCH, digest_of, quiet
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.text import quoted, visible


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A classifier, ready to use.

    Args:
        address: where it came from.
        digest: of its weights.
        labels: in the order of its answers.
        prepare: what is done to pictures first.
    """

    address: str
    digest: str
    model: PreTrainedModel
    labels: tuple[str, ...]
    prepare: Preparation

    @torch.no_grad()
    def chances(self, pictures: Tensor) -> Tensor:
        """Chances of the labels, (n, labels), of pictures (n, 3, H, W) in [-1, 1]."""
        parts = [
            self.model(self.prepare(some.to(self.model.device))).logits.softmax(1)
            for some in pictures.split(BATCH)
        ]
        return torch.cat(parts).cpu()

    def numbers(self, concept: str) -> tuple[int, ...]:
        """The labels that name a concept: those that are it, else those that hold it."""
        asked = words(concept.replace("_", " "))
        labels = [words(label.replace("_", " ")) for label in self.labels]
        same = tuple(number for number, label in enumerate(labels) if label == asked)
        return same or tuple(n for n, label in enumerate(labels) if within(asked, label))


def load_classifier(address: str | Path, device: str = "cpu") -> Classifier:
    """Load an image-classification model.

    Args:
        address: a folder, or `org/name[@revision]` on the Hub.

    Raises:
        CheckpointError: it is no such model, or incomplete.
        HubError: the Hub does not give it.
    """
    opened = open_checkpoint(address)
    where = visible(opened.address)
    config = opened.json("config.json") if opened.kind != "file" else None
    named = config.get("architectures") if config else None
    kinds = [str(one) for one in named] if isinstance(named, Sequence) else []
    if not any(one.endswith("ForImageClassification") for one in kinds):
        found = f"{quoted(kinds[0])} is" if kinds else "there is"
        raise CheckpointError(f"{found} no image-classification model", where=where)
    opened = opened.here()
    model = _model(opened, where).to(device)
    model.eval().requires_grad_(False)
    labels = model.config.id2label
    return Classifier(
        address=where,
        digest=digest_of(opened),
        model=model,
        labels=tuple(str(labels[number]) for number in range(len(labels))),
        prepare=_preparation(opened, model, where),
    )


def _model(opened: Checkpoint, where: str) -> PreTrainedModel:
    try:
        with quiet():
            model, report = AutoModelForImageClassification.from_pretrained(
                opened.root,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        reason = visible(str(error).strip().partition("\n")[0])
        raise CheckpointError(f"transformers cannot load it: {reason}", where=where) from error
    if missing := sorted(report["missing_keys"]):
        # Left alone they would be drawn at random, and judge so.
        raise CheckpointError(
            f"{len(missing)} tensors are missing, such as {quoted(missing[0])}", where=where
        )
    found: PreTrainedModel = model
    return found


def _preparation(opened: Checkpoint, model: PreTrainedModel, where: str) -> Preparation:
    config = opened.json("preprocessor_config.json")
    side = getattr(model.config, "image_size", None)
    if not isinstance(side, int):
        side = _side(config)
    return preparation(config, side, f"{where}: preprocessor_config.json")


def _side(config: dict[str, object] | None) -> int:
    """What a convolutional model was trained on, which its own configuration does not say."""
    for key in ("crop_size", "size"):
        size = (config or {}).get(key)
        inner = list(size.values()) if isinstance(size, dict) else [size]
        if inner and isinstance(inner[0], int):
            return inner[0]
    return 224
