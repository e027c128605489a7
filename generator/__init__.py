"""Turns the description in `openapi/` into the client in `generated/`.

The road: `_yaml` reads files and remembers lines, `_bundle` makes one document of them, `_lint` holds it
to the house rules, `_parse` lets openapi-python-client resolve names and types, `_render` writes the
package, `_format` runs ruff over it, `_tree` compares and swaps directories.
"""
