"""What follows from each word of a vehicle, for plans, people and screens."""
