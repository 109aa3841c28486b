"""The sub-commands of ``wardline``, one file for each family."""
