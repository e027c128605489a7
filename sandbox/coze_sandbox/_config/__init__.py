"""Options of the sandbox, and its OAuth apps."""
