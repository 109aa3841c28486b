"""Where people give orders: checked, answered with every reason, and kept."""
