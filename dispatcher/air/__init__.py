"""Rights in the air: pads, passing, wind, and how long a drone takes."""
