"""A simulated robot with Nav2."""
