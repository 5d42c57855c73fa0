"""Which built-in questions a checkpoint is asked."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.questions import vocabulary_of
from surgery.store.checkpoint import open_checkpoint


@dataclass(frozen=True, slots=True)
class Tensor:
    shape: tuple[int, ...]


def test_the_built_in_model_is_asked_for_what_it_knows() -> None:
    assert vocabulary_of(open_checkpoint("atelier")) == "atelier"


def test_other_names_for_the_same_tensors_change_nothing() -> None:
    tensors = open_checkpoint("atelier")
    renamed = {f"stored.{name.replace('/', '.')}": ref for name, ref in tensors.items()}
    assert vocabulary_of(renamed) == "atelier"


def test_another_table_of_words_makes_it_another_model() -> None:
    tensors = {name: Tensor(ref.shape) for name, ref in open_checkpoint("atelier").items()}
    (table,) = (name for name in tensors if name.endswith("token_embedding.weight"))
    assert vocabulary_of({**tensors, table: Tensor((49408, tensors[table].shape[1]))}) == "world"


def test_a_model_without_text_tower_is_of_the_world() -> None:
    tensors = open_checkpoint("atelier")
    denoiser = {name: ref for name, ref in tensors.items() if name.startswith("unet/")}
    assert vocabulary_of(denoiser) == "world"
