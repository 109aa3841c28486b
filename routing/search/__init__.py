"""Compiled search on flat arrays: how routes are rated, where requests fit, what is torn out."""
