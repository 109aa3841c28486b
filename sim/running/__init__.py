"""One run of a scenario: dispatcher, wires, simulated things, demand and faults together."""
