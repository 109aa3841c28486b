"""Solvers: insertion, ruin and recreate, set partitioning, OR-Tools, behind one door."""
