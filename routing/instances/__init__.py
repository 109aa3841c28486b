"""Instances of public benchmarks: their files, as problems and back, and what a plan is worth."""
