"""Tasks, who does what and when, traffic rights, records, and every door for people."""
