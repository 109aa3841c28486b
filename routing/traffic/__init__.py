"""Timed ways of many robots that never meet: gaps, and who comes after whom."""
