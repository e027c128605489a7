"""A fuzzer of the client: it mutates responses, streams, connections, environments and WebSocket messages.

An outcome is correct if it is a result or an exception below `cozekit.errors.CozeError`; anything else is a finding.
The package shares no code with the client or with other tests: it reads the bundled description as data and calls what
`cozekit` exports, so that the same error cannot be in the client and in its test.
"""
