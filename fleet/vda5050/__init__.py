"""VDA 5050 ground robots over a message bus."""
