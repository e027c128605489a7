"""Tests of the generated client and of its runtime."""
