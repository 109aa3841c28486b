"""Ways through the air, areas that people draw, wind, and help that comes flying."""
