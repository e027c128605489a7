"""From the bundled description to what the templates need."""
