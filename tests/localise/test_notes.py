from __future__ import annotations

from surgery.localise.notes import notes
from surgery.probes.locogen import LocoGen
from surgery.probes.trace_text import TraceText
from surgery.probes.trace_unet import TraceUnet
from tests.helpers.probing import study


def test_a_window_that_was_found_is_not_said_to_be_the_only_one() -> None:
    (first, *_) = notes(LocoGen(), "cross_attn.{k,v}[2:4]", study(seeds=16))
    assert "does not follow" in first
    assert not any("No window" in one for one in notes(LocoGen(), "x", study()))


def test_where_nothing_was_found_the_first_note_says_what_to_do() -> None:
    (first, *_) = notes(LocoGen(), "", study())
    assert first.startswith("No window") and "uce" in first


def test_tracing_says_what_it_does_not_trace() -> None:
    for probe in (TraceUnet(), TraceText()):
        assert "is not traced" in notes(probe, "ff[0]", study(seeds=16))[0]


def test_few_runs_are_said_to_be_few() -> None:
    assert "4 runs of each place" in notes(TraceUnet(), "", study(seeds=2, draws=2))[-1]
    assert "2 runs of each place" in notes(LocoGen(), "", study(seeds=2, draws=2))[-1]
    assert not any("runs of each" in one for one in notes(LocoGen(), "", study(seeds=16)))
