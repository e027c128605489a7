"""What workflows do."""
