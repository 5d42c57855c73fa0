"""What comes back after an edit: attacks on an edited model, by somebody who wants the concept.

Each is a file of its own. None proves that an edit cannot be undone.
"""

from __future__ import annotations

from surgery.adversary.base import APART, Adversary, Budget, Seeds, budget_for
from surgery.adversary.run import ATTACKS, attack, cost

__all__ = ["APART", "ATTACKS", "Adversary", "Budget", "Seeds", "attack", "budget_for", "cost"]
