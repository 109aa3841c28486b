"""What there is: tasks and their stops, missions, shifts, incidents, emergencies, road rules."""
