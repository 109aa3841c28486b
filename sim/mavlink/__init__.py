"""A simulated autopilot that speaks MAVLink, and the dock of its drone."""
