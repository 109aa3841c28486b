"""One vehicle's day: its visits, rest, charging, refuge, and going on after a restart."""
