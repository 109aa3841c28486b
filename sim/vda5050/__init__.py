"""A simulated robot that speaks VDA 5050."""
