"""Turns the description in `openapi/` into the client in `generated/`.

The road: `_yaml` reads files and remembers lines, `_bundle` makes one document of them, `lint` holds it to the house
rules, `_opc` lets openapi-python-client decide names and types, `_parse` decides the rest, `_render` writes the
package, `_format` runs ruff over it, `_tree` compares and replaces directories.
"""
