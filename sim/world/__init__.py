"""What there really is: bodies in motion, lifts, doors, workcells, radio."""
