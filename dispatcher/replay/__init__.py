"""A run, written down as screens were shown it, and played back."""
