"""Robots on a graph all day, and how many trips a scheme gets done."""
