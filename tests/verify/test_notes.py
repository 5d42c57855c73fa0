from __future__ import annotations

from surgery.report.verify import Figure
from surgery.verify.notes import notes
from tests.verify.build import figures, marked, shown


def test_a_concept_that_was_hardly_there_is_doubted() -> None:
    (said,) = notes([figures(shown("synonym", "gogh", 4, 0, 10))])
    assert "only 40% of its synonym pictures" in said
    assert notes([figures(shown("erased", "gogh", 10, 0, 10))]) == ()


def test_a_kept_concept_that_was_hardly_there_is_not() -> None:
    assert notes([figures(shown("kept", "monet", 4, 4, 10))]) == ()


def test_a_judge_that_says_neither_yes_nor_no_is_told_of() -> None:
    (said,) = notes([figures(marked("erased", "gogh", score_after=[1.0, 2.0]))])
    assert said.startswith("the judge does not say whether 'gogh' is seen")


def test_fid_of_few_pictures_is_not_to_be_set_beside_that_of_many() -> None:
    few, many = (Figure(9.0, 9.0, 9.0, count, "none") for count in (48, 10_000))
    (said,) = notes([], {"erased": many, "kept": few})
    assert said.startswith("FID of 48 pictures comes out larger than of 10,000")
    assert notes([], {"erased": many}) == notes([]) == ()
