"""A small application with tests that need no Coze. Run them: `pytest examples/testing`."""
