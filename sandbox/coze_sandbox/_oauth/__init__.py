"""OAuth: consent pages and their control."""
