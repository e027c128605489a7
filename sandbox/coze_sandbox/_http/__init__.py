"""HTTP: parse and check requests, build responses."""
