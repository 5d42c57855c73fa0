"""What the figures of a verification depend on: models, judges, settings, recipe, surroundings."""

from __future__ import annotations

from surgery.pages import blocks
from surgery.pages.cost import cost_card
from surgery.pages.html import Child, Html, el
from surgery.report import VerifyReport
from surgery.report.verify import JudgeFacts, ModelFacts

KINDS = {
    "concept": "whether the concept is seen, and how much of it",
    "alignment": "how near a picture is to its prompt",
    "distance": "how far the two pictures of a pair are apart",
    "sets": "how far all pictures of both models are apart",
}


def told(report: VerifyReport) -> Html:
    """The section on how it was measured."""
    cards: list[Child] = [
        blocks.card("Model before", _model(report.before)),
        blocks.card("Model after", _model(report.after)),
        blocks.card("Judges", [_judge(one) for one in report.judges]) if report.judges else None,
        blocks.card("Settings", blocks.facts(report.settings)) if report.settings else None,
        blocks.card("Environment", blocks.facts(report.environment))
        if report.environment
        else None,
        cost_card(report.cost),
    ]
    about = "Both models painted the same prompts from the same seeds with the same sampler."
    return blocks.section("How it was measured", about, blocks.columns(*cards))


def limits(report: VerifyReport) -> Html | None:
    """What the figures do not say; None where there is nothing to say."""
    if not report.notes:
        return None
    return blocks.section("What the figures do not say", "", blocks.bullets(report.notes))


def recipe(report: VerifyReport) -> Html | None:
    """The recipe that made the one model from the other, to copy."""
    if not report.recipe.strip():
        return None
    about = "This recipe made the second model from the first."
    return blocks.section("Recipe", about, blocks.code(report.recipe.rstrip().splitlines()))


def _model(model: ModelFacts) -> Html:
    known = {"address": model.address, "fingerprint": model.fingerprint,
             "revision": model.revision}  # fmt: skip
    return blocks.facts({name: value for name, value in known.items() if value})


def _judge(judge: JudgeFacts) -> Html:
    known = {"model": judge.model, "revision": judge.revision, "unit": judge.unit}
    facts = blocks.facts({name: value for name, value in known.items() if value})
    says = el("small", KINDS[judge.kind])
    return el("div", el("b", judge.name), " ", says, facts, cls="judge")
