"""Vehicles, missions, energy, facilities and the wires to them."""
