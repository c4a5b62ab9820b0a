"""What can go wrong with a dump as a whole."""


class SourceError(ValueError):
    """A dump cannot be read as asked; the message names the object and says what to do."""
