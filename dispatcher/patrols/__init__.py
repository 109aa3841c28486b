"""Watches and surveys: posts, shifts, reliefs, and areas seen by several drones."""
