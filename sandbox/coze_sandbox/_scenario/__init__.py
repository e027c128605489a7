"""Stubs: what tests define for calls to come."""
