"""The API explorer: the page, and requests that it fills in."""
