"""Benchmarks that need a simulated world."""
