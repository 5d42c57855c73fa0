from __future__ import annotations

from dataclasses import replace

from surgery.cli.page import Line, Table
from surgery.cli.verify_page import plan_page, verify_page
from surgery.report import Attack, Figure, Gate, JudgeFacts, ModelFacts, Summary, VerifyReport
from surgery.verify.plan import plan
from surgery.verify.wish import Wish
from tests.verify.build import figures, marked, shown

SURE = Figure.share(1.0, 48)
REPORT = VerifyReport(
    before=ModelFacts("atelier", "aa"),
    after=ModelFacts("out", "bb"),
    verdict="'van gogh' is gone",
    concepts=("van gogh",),
    judges=(JudgeFacts("atelier", "the built-in judge", "abc", "concept"),),
    sets=(
        figures(shown("erased", "van gogh", 48, 0, 48)),
        figures(shown("kept", "monet", 20, 20, 20)),
    ),
    summary=Summary(ua=SURE),
    gates=(Gate("erased: van gogh", "at most 10.0%", "0.0%", True),),
    notes=("a note",),
)


def lines(report: VerifyReport) -> list[Line]:
    return [block for block in verify_page(report) if isinstance(block, Line)]


def test_a_page_shows_each_set_before_and_after_with_its_interval() -> None:
    table = verify_page(REPORT)[0]
    assert isinstance(table, Table)
    assert table.rows[0] == ("van gogh", "gone", "48", "100%", "0%", "0% to 7%", "-", "-")
    assert table.rows[1][:5] == ("monet", "kept", "20", "100%", "100%")


def test_a_judge_without_yes_or_no_has_its_scores_shown() -> None:
    scored = figures(marked("kept", "a", score_before=[30.0, 20.0], score_after=[29.0, 19.0]))
    table = verify_page(replace(REPORT, sets=(scored,)))[0]
    assert isinstance(table, Table)
    assert table.rows[0][3:5] == ("25", "24")


def test_figures_of_papers_the_judge_and_the_notes_are_told() -> None:
    said = [line.text for line in lines(REPORT)]
    assert any(line.startswith("as in papers: UA 100.0%") for line in said)
    assert any("concept by atelier (the built-in judge abc)" in line for line in said)
    assert "note: a note" in said


def test_the_verdict_comes_last_in_the_colour_of_the_gates() -> None:
    assert lines(REPORT)[-1] == Line("'van gogh' is gone", "good")
    bad = replace(REPORT, gates=(Gate("erased", "at most 10.0%", "99%", False, 0.89, "why"),))
    assert lines(bad)[-1].style == "bad"
    missed = next(line for line in lines(bad) if line.text.startswith("FAIL"))
    assert "missed by 89.0% (why)" in missed.text


def test_lpips_has_a_column_and_fid_a_line_where_they_were_asked_for() -> None:
    told = figures(marked("kept", "monet", distance=[0.1, 0.2], lpips=[0.25, 0.35]))
    report = replace(REPORT, sets=(told,), fid={"kept": Figure(12.345, 12.345, 12.345, 2, "none")})
    table = verify_page(report)[0]
    assert isinstance(table, Table)
    assert table.columns[-3:] == ("distance", "LPIPS", "now mostly")
    assert table.rows[0][-3:] == ("0.150", "0.300", "-")
    assert "FID between both models' pictures: kept 12.35" in [one.text for one in lines(report)]
    assert not any("FID" in one.text for one in lines(REPORT))


def test_attacks_are_told_with_what_they_do_not_show() -> None:
    attack = Attack("rece", "van gogh", "one round", Figure.share(0, 40), Figure.share(0.5, 40))
    said = [line.text for line in lines(replace(REPORT, attacks=(attack,)))]
    assert any("rece on van gogh" in line and "under attack; one round" in line for line in said)
    assert "what was not tried may still bring it back" in said


def test_a_plan_tells_how_many_pictures_there_will_be() -> None:
    made = plan("atelier", "atelier", Wish(concepts=("van gogh",), pictures=2))
    table, line, *_ = plan_page(made)
    assert isinstance(table, Table)
    assert isinstance(line, Line)
    assert sum(int(row[3]) for row in table.rows) == made.pictures
    assert line.text.startswith(f"{made.pictures} pictures, 20 steps each")
