"""Planning policies beside each other, over a replayed day."""
