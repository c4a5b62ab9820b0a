"""What can go wrong with a writer as a whole."""


class InputError(Exception):
    """A writer cannot work; the message names the endpoint or model, and what to do."""


class EngineDown(InputError):
    """The engine does not answer, or fails: trying again later may help."""
