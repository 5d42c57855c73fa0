"""Everything that can be a user's mistake, as one small tree. Nothing else raises to the user.

SurgeryError
├── UsageError        a flag or an argument that cannot be meant
├── RecipeError       a recipe that cannot be read, or asks for what does not exist
├── CheckpointError   a model file or folder that is missing, damaged or not what it says
├── LayoutError       a structure that no layout, or more than one, describes
├── EditError         an edit that cannot be made, or would change nothing or break numbers
├── OutputError       a place that cannot be written, or must not be
├── GateError         a result outside what the recipe expects
├── ResourceError     too little disk or memory, found before the work starts
└── HubError          the Hugging Face Hub: sign-in, gate, missing repository, network
"""

from __future__ import annotations


class SurgeryError(Exception):
    """A mistake that a user can mend: what happened, where, and what to do next.

    Args:
        what: one clause that holds the offending value.
        where: file, tensor or recipe field path; opens the sentence when given.
        hint: what to do next; one clause.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence}; {self.hint}" if self.hint else sentence


class UsageError(SurgeryError):
    """A flag or an argument that cannot be meant."""


class RecipeError(SurgeryError):
    """A recipe that cannot be read, or asks for what does not exist."""


class CheckpointError(SurgeryError):
    """A model file or folder that is missing, damaged or not what it says."""


class LayoutError(SurgeryError):
    """A structure that no layout, or more than one, describes."""


class EditError(SurgeryError):
    """An edit that cannot be made, or would change nothing or break numbers."""


class OutputError(SurgeryError):
    """A place that cannot be written, or must not be."""


class GateError(SurgeryError):
    """A result outside what the recipe expects."""


class ResourceError(SurgeryError):
    """Too little disk or memory, found before the work starts."""


class HubError(SurgeryError):
    """The Hugging Face Hub: sign-in, gate, missing repository, network."""
