"""The door for people and their programs over HTTP: REST, the live link, the console."""
