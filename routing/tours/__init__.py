"""Closed tours for vehicles that go round without end: arrays and compiled search."""
