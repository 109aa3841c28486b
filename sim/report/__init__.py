"""What a run leaves behind: a page, plots, tables."""
