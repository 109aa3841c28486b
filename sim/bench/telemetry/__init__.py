"""What it takes to hear a large fleet, and how late it is heard."""
