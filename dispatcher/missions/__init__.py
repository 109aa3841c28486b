"""How one vehicle carries out a mission: drives, flights, rounds, handovers."""
