"""Scenario files: what is in them, what is wrong with them, and what chance makes of them."""
