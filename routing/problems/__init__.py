"""The question put to a solver, its answer, and the judge of both."""
