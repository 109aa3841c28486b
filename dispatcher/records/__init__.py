"""What outlives the process and how it is written; alerts, and changes for screens."""
