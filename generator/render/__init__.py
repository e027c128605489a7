"""Writing Python source."""
