"""Tests of the generated package and of pure parts of the overlay. A package, so that names may recur elsewhere."""
