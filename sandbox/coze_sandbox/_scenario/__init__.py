"""Stubs for upcoming calls."""
