"""Rights of way on the ground: roads, claims, doors and lifts, detours, and who is in whose way."""
