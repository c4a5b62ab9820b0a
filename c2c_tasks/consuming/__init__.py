"""What a reader of releases does: find one, check it, fetch it, compare two, load it."""
