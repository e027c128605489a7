"""Reading a description: YAML with positions, bundling, structure."""
