"""Complete, commented sites and scenarios; each one runs."""
