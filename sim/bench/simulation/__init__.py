"""What a day of any fleet takes of the processor."""
