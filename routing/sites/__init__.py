"""Site files: read, checked, written, drawn, and made of maps of others."""
