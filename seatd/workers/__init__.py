"""A server of several processes: a supervisor, and workers that are a node each and share the listening addresses."""
