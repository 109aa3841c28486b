"""One scenario with many seeds and settings, compared."""
