"""Where a model's tokenizer is: its own, the Hugging Face cache's, or a package's. No network.

CLIP has one published vocabulary; a model that brings none must have a table of that size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.layout import TextShape
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible
from surgery.tokens.packaged import PLAIN_PAD, SIZE, is_packaged, packaged_tokens
from surgery.tokens.pairs import END
from surgery.tokens.prompts import Tokens
from surgery.tokens.vocabulary import has_tokenizer, load_tokens

CACHED = (
    ("openai/clip-vit-large-patch14", ""),
    ("stable-diffusion-v1-5/stable-diffusion-v1-5", "tokenizer/"),
    ("runwayml/stable-diffusion-v1-5", "tokenizer/"),
    ("CompVis/stable-diffusion-v1-4", "tokenizer/"),
    ("stabilityai/stable-diffusion-2-1", "tokenizer/"),
    ("stabilityai/stable-diffusion-xl-base-1.0", "tokenizer/"),
)
_WAYS = (
    "name a folder with one by --tokenizer, or run `hf download openai/clip-vit-large-patch14 "
    "vocab.json merges.txt`, or `pip install instant-clip-tokenizer`"
)


def find_tokens(
    checkpoint: Checkpoint, shape: TextShape, rows: int, given: Path | None = None
) -> Tokens:
    """The tokenizer of a text tower.

    Args:
        shape: the tower; it says how prompts are padded.
        rows: tokens in the tower's table.
        given: a folder that holds the tokenizer, from the user.

    Raises:
        CheckpointError: none is found, or what is found is no CLIP tokenizer or of another size.
    """
    if given is not None:
        return load_tokens(
            _existing(given), max_length=shape.max_length, pad=shape.pad_id, pad_word=_pad(shape)
        )
    own = next(filter(has_tokenizer, _own_folders(checkpoint, shape)), None)
    if own is not None:
        return load_tokens(own, max_length=shape.max_length, pad=shape.pad_id)
    if rows != SIZE or not (found := _borrowed(shape)):
        raise _none(checkpoint, rows)
    return found


def _borrowed(shape: TextShape) -> Tokens | None:
    """CLIP's own vocabulary, from the cache or the package."""
    if folder := _cached_folder():
        return load_tokens(
            folder, max_length=shape.max_length, pad=shape.pad_id, pad_word=_pad(shape)
        )
    if is_packaged():
        return packaged_tokens(max_length=shape.max_length, pad_word=_pad(shape))
    return None


def _pad(shape: TextShape) -> str:
    return END if shape.pad_id is None else PLAIN_PAD


def _own_folders(checkpoint: Checkpoint, shape: TextShape) -> Iterator[Path]:
    """In a folder or beside it, where this is one component of a pipeline; beside a file."""
    root = checkpoint.root
    inside = root.parent if checkpoint.kind == "file" else root
    yield checkpoint.folder(shape.tokenizer)
    if checkpoint.kind != "file":
        yield root.parent / shape.tokenizer
    yield inside


def _cached_folder() -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for repo, folder in CACHED:
        for name in ("vocab.json", "tokenizer.json"):
            found = try_to_load_from_cache(repo, folder + name)
            if isinstance(found, str) and has_tokenizer(Path(found).parent):
                return Path(found).parent
    return None


def _existing(given: Path) -> Path:
    folder = given if given.is_dir() else given.parent
    if not has_tokenizer(folder):
        raise CheckpointError(
            "no tokenizer.json there, and no vocab.json with merges.txt",
            where=visible(str(given)),
            hint="--tokenizer names the folder that holds them",
        )
    return folder


def _none(checkpoint: Checkpoint, rows: int) -> CheckpointError:
    where = visible(checkpoint.address)
    if rows != SIZE:
        return CheckpointError(
            f"there is no tokenizer beside the weights, and their table of {rows} tokens is not "
            f"CLIP's, which has {SIZE}",
            where=where,
            hint="name a folder with the model's own by --tokenizer",
        )
    return CheckpointError("there is no tokenizer beside the weights", where=where, hint=_WAYS)
