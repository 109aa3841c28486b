"""They watch the bodies, and believe nobody: collisions, cargo, airspace, what cameras saw."""
