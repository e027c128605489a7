"""The admin API under /_sandbox/."""
