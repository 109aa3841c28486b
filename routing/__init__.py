"""Places, roads, air, time windows and plans: pure functions on frozen values."""
