"""Bodies, demand, faults, fast clocks and scenarios."""
