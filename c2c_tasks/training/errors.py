"""What a user has to mend before anything can be exported or trained."""

from __future__ import annotations


class TrainingError(Exception):
    """Data, a mixture, a recipe or a model is not what it must be; the message names it."""


class TrainerDown(Exception):
    """The trainer's process was ended from outside; another attempt goes on from its checkpoint."""
