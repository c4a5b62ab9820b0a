"""Input writers: who proposes the arguments that a function is called with."""
