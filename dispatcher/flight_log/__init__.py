"""The log of flights: written as they go, and given out as files."""
