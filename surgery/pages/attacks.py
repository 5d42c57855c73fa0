"""What was tried to bring an erased concept back, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.pages import blocks
from surgery.pages.compare import pairs
from surgery.pages.dots import Axis, Dot, Line, Look, chart, key
from surgery.pages.evidence import pair
from surgery.pages.html import Child, Html, el
from surgery.pages.shots import BASE64
from surgery.report import VerifyReport
from surgery.report.findings import percent
from surgery.report.sets import share
from surgery.report.verify import Attack

MOST_PROMPTS = 5
NOT_PROVED = "No attack proves that a concept cannot come back: another one, more effort, or a few "
NOT_PROVED += "steps of training may still bring it back."


def attacks(report: VerifyReport) -> Html:
    """The section on attacks; it says so too where none was tried."""
    title = "Can it be brought back?"
    if not report.attacks:
        return blocks.section(title, f"Nothing was tried here. {NOT_PROVED}")
    looks = key(
        ("then", False, "the model before, asked plainly"),
        ("now", False, "after, asked plainly"),
        ("back", True, "after, under the attack, with its 95 % interval"),
    )
    axis = Axis("pictures that show it", 0, 1, ("0 %", "100 %"))
    drawn = el("div", chart(axis, [_line(one) for one in report.attacks]), cls="card")
    several = len({one.concept for one in report.attacks}) > 1
    cards = [_card(one, several=several) for one in report.attacks]
    return blocks.section(title, f"What was tried is below. {NOT_PROVED}", looks, drawn, cards)


def _line(attack: Attack) -> Line:
    looks: tuple[Look, Look] = ("then", "now")
    plainly = zip((attack.original, attack.before), looks, strict=True)
    shown = [Dot(one.value, one.low, one.high, look) for one, look in plainly if one]
    after = attack.after
    dots = (*shown, Dot(after.value, after.low, after.high, "back"))
    first = percent(attack.before.value)
    value, _, rest = share(after).partition(" (")
    figures: list[Child] = [first, " → ", el("b", value), f" ({rest}"]
    words = f"asked plainly {first}, under the attack {share(after)} of {after.count} pictures"
    return Line(attack.name, f"{attack.concept} · {after.count:,} pictures", dots, figures, words)


def _card(attack: Attack, *, several: bool) -> Html:
    title = f"{attack.name}: {attack.concept}" if several else attack.name
    return el("div", el("h3", title), el("p", attack.tried, cls="faint"), _found(attack.found),
              _pictures(attack), _settings(attack), cls="group attack")  # fmt: skip


def _found(prompts: Sequence[str]) -> Html | None:
    if not prompts:
        return None
    listed = el("ul", [el("li", el("q", one)) for one in prompts[:MOST_PROMPTS]], cls="notes")
    return el("div", el("small", "What brought most back:"), listed)


def _pictures(attack: Attack) -> Html | None:
    sound = [
        one
        for one in attack.pictures
        if BASE64.fullmatch(one.before) and BASE64.fullmatch(one.after)
    ]
    return pairs([pair(one, ("plainly", "attacked")) for one in sound]) if sound else None


def _settings(attack: Attack) -> Html | None:
    return blocks.more("Settings", blocks.facts(attack.settings)) if attack.settings else None
