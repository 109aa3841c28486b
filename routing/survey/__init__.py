"""Surveys: several drones see all of an area once, home again before their energy is spent."""
