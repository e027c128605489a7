"""Runs other tools on the description: `python -m tests.portability`."""
