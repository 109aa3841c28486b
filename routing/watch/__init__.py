"""Watching without end: rings, how many vehicles, relay, and what nobody can foretell."""
