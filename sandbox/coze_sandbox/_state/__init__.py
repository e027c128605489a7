"""The state: documents, seed data, who can read what."""
