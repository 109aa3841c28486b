"""MAVLink 2 drones over datagrams."""
