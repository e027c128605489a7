"""A small application, and how it is tested without Coze. Run it: `pytest examples/testing`."""
