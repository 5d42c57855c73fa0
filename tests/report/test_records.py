"""A record survives its file, and keeps what came before it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from surgery.errors import UsageError
from surgery.report import Gate, Leak, Record, RecordedBase, RecordedTensor, Spread
from surgery.store.record import MARK

TENSOR = RecordedTensor("a.weight", "F16", (2, 3), "0" * 64, "1" * 64, 1, 0.5, 1.0, 0.01)
RECORD = Record(
    recipe={"version": 1, "name": "first", "edits": []},
    base=RecordedBase("atelier", "f" * 64, "folder", "sd1"),
    tensors=(TENSOR,),
    leaks=(Leak(0, "van gogh", "painting", "prompts", Spread.of([0.1, 0.2])),),
    drifts=(),
    gates=(Gate("leak", "at most 0.5", "0.2", True),),
    versions={"surgery": "0.1.0"},
    device="cpu",
)


def test_a_record_is_read_back_as_it_was_written() -> None:
    assert Record.from_json(RECORD.text()) == RECORD
    assert Record.parsed(RECORD.text()) == RECORD
    assert RECORD.text().startswith(MARK)
    assert RECORD.text().endswith("}\n")
    assert RECORD.name == "first"


def test_the_record_of_an_edit_of_an_edited_model_keeps_the_earlier_ones_in_order() -> None:
    second = replace(RECORD, recipe={"version": 1, "name": "second"}).after(RECORD)
    third = replace(RECORD, recipe={"version": 1, "name": "third"}).after(second)
    assert [one["recipe"]["name"] for one in third.earlier] == ["first", "second"]  # type: ignore[index]
    assert all(one["earlier"] == () for one in third.earlier)
    assert Record.from_json(third.text()).text() == third.text()
    assert RECORD.after(None) is RECORD


@pytest.mark.parametrize("text", ["", "{}", "[", '{"kind": "record", "version": 9}', "[" * 9999])
def test_what_is_no_record_is_read_as_none(text: str) -> None:
    assert Record.parsed(text) is None
    assert Record.parsed(None) is None


def test_a_field_that_no_record_has_is_refused() -> None:
    fields = json.loads(RECORD.text()) | {"clock": "noon"}
    with pytest.raises(UsageError, match="clock"):
        Record.from_json(json.dumps(fields))
