"""HTTP: from a request to a checked call, and back to a response."""
