"""The API explorer: its page and sample requests."""
