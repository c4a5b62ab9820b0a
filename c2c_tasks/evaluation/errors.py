"""What can go wrong with the problems of an evaluation, or with a file of answers."""


class ProblemError(ValueError):
    """Problems or answers cannot be read; the message names the object, and what to do."""
