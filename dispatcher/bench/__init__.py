"""Public benchmarks: Wardline beside other solvers, on the same instances and processor time."""
