"""Tests of the generated package and of pure parts of the overlay."""
