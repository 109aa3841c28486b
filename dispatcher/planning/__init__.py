"""Who does what next: tasks and fleet as a problem, its answers, and what is expected."""
