"""Formatting, comparing and replacing what is written."""
