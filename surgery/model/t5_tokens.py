"""T5's tokenizer, from the folder of a model: prompts end in a token, and begin with none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transformers import AutoTokenizer

from surgery.errors import CheckpointError
from surgery.store.text import visible
from surgery.tokens import Tokens


def load_t5_tokens(folder: Path, max_length: int) -> Tokens:
    """Read a T5 tokenizer from `tokenizer.json` or `spiece.model`.

    Raises:
        CheckpointError: the folder holds none that can be read.
    """
    if not any((folder / name).is_file() for name in ("tokenizer.json", "spiece.model")):
        raise CheckpointError(
            "no tokenizer.json and no spiece.model",
            where=visible(str(folder)),
            hint="name the folder of the T5 tokenizer by --tokenizer",
        )
    try:
        own = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        raise CheckpointError(
            "the tokenizer cannot be read", where=visible(str(folder)), hint="see its files"
        ) from error

    def split(text: str) -> Sequence[int]:
        # DeepFloyd IF reads prompts in small letters.
        ids: Sequence[int] = own(text.lower().strip(), add_special_tokens=False).input_ids
        return ids

    return Tokens(split, None, own.eos_token_id, own.pad_token_id, max_length)
