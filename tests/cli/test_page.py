from __future__ import annotations

import pytest

from surgery.cli.page import number, percent, plural


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "-"),
        (0.0, "0.0 %"),
        (1e-9, "<0.1 %"),
        (0.0004, "<0.1 %"),
        (0.5, "50.0 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_share_is_a_percentage_and_little_never_reads_as_nothing(
    share: float | None, text: str
) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("figure", "text"), [(None, "-"), (0.0, "0"), (0.012345, "0.0123"), (1e-12, "1e-12")]
)
def test_a_figure_has_three_significant_digits(figure: float | None, text: str) -> None:
    assert number(figure) == text


def test_only_one_is_singular() -> None:
    assert [plural(count, "tensor") for count in (0, 1, 1200)] == [
        "0 tensors",
        "1 tensor",
        "1,200 tensors",
    ]
