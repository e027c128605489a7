"""Turns the description in `openapi/` into the client in `generated/`.

The road: `_yaml` reads files and remembers lines, `_bundle` makes one document of them, `_shape` and `lint` hold it to
its form and to the house rules. `_opc` lets openapi-python-client decide names and types; `_parse` (with `_classes`,
`_names` and `_reach`) decides what the client has, `_render` (with `_python` and `templates/`) writes it, `_format`
runs ruff over it, `_tree` compares and replaces directories, `_provenance` remembers what it was made from.
"""
