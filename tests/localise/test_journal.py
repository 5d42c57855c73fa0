"""What was measured outlives the run; what was cut off is passed over."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.errors import OutputError
from surgery.localise.journal import Journal, Measurement, key_of

ONE, TWO = Measurement(0.25, True, "cG5n"), Measurement(-1.5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "down" / "journal.jsonl"


def test_what_was_added_is_found_by_the_next_journal(file: Path) -> None:
    first = Journal(file)
    first.add({"a": ONE})
    first.add({"b": TWO})
    assert (first.get("a"), first.get("b"), first.added) == (ONE, TWO, 2)
    later = Journal(file)
    assert (later.get("a"), later.get("b"), later.get("c"), later.added) == (ONE, TWO, None, 0)


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Journal()
    kept.add({"a": ONE})
    assert kept.get("a") == ONE
    assert not list(tmp_path.iterdir())


def test_nothing_measured_makes_no_file(file: Path) -> None:
    Journal(file).add({})
    assert not file.exists()


def test_a_fresh_journal_passes_over_what_is_there_and_keeps_it(file: Path) -> None:
    Journal(file).add({"a": ONE, "b": TWO})
    fresh = Journal(file, fresh=True)
    assert fresh.get("a") is None
    fresh.add({"a": TWO})
    assert fresh.get("a") == TWO
    assert (Journal(file).get("a"), Journal(file).get("b")) == (TWO, TWO)


@pytest.mark.parametrize("cut", [1, 2, 10, 30])
def test_a_line_that_was_cut_off_is_passed_over_and_swallows_no_other(file: Path, cut: int) -> None:
    Journal(file).add({"a": ONE})
    Journal(file).add({"b": TWO})
    # The last line break alone may be lost.
    file.write_bytes(file.read_bytes()[:-cut])
    torn = Journal(file)
    assert torn.get("a") == ONE
    assert torn.get("b") == (TWO if cut == 1 else None)
    torn.add({"c": TWO})
    again = Journal(file)
    assert (again.get("a"), again.get("c")) == (ONE, TWO)


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff\xfe",
        b"[]",
        b"5",
        b'"key"',
        b"null",
        b"{}",
        b'{"key": "a", "score": "much", "shown": null}',
        b'{"key": "a", "score": null, "shown": null}',
        b'{"key": "a", "score": 1e999, "shown": null}',
        b'{"key": "a", "score": 1%s, "shown": null}' % (b"0" * 400),
        b'{"key": "a", "score": NaN, "shown": null}',
        b'{"key": "a", "score": 0.5, "shown": "yes"}',
        b'{"key": "a", "score": 0.5, "shown": null, "png": 7}',
        b'{"key": 3, "score": 0.5, "shown": null}',
        b'{"key": "a", "score": 0.5}',
        b"[" * 100_000,
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_what_is_no_measurement_is_passed_over(file: Path, line: bytes) -> None:
    Journal(file).add({"b": TWO})
    file.write_bytes(file.read_bytes() + b"\n" + line + b"\n")
    found = Journal(file)
    assert found.get("a") is None
    assert found.get("3") is None
    assert found.get("b") == TWO


@given(st.floats(allow_nan=False, allow_infinity=False), st.none() | st.booleans())
def test_a_score_comes_back_to_the_last_bit(score: float, shown: bool | None) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder) / "j"
        Journal(place).add({"a": Measurement(score, shown)})
        assert Journal(place).get("a") == Measurement(score, shown)


def test_a_journal_that_cannot_be_written_or_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the journal cannot be written") as caught:
        Journal(tmp_path / "file" / "journal").add({"a": ONE})
    assert "--journal" in str(caught.value)
    with pytest.raises(OutputError, match="the journal cannot be read: Is a directory"):
        Journal(tmp_path)


FACTS = st.dictionaries(
    st.text(max_size=4), st.none() | st.booleans() | st.integers() | st.text(max_size=4), max_size=4
)


@given(FACTS, FACTS)
def test_keys_are_equal_for_equal_facts_alone(one: dict, other: dict) -> None:
    def typed(facts: dict) -> str:
        return json.dumps(facts, sort_keys=True)

    assert (key_of(one) == key_of(other)) == (typed(one) == typed(other))
    assert key_of(dict(reversed(one.items()))) == key_of(one)
