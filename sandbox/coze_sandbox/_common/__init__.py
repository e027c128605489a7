"""What every other package may import."""
