"""Ways on the ground: shortest ones, passing, air locks, rules for a while, measured pace."""
