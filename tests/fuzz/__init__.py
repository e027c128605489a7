"""A fuzzer of the client: mutated answers, streams, connections, surroundings and messages of WebSockets.

An outcome is fine if it is a result or an exception below `cozekit.errors.CozeError`; anything else is a finding. The
package shares no code with the client or with other tests: it reads the bundled description as data and calls what
`cozekit` exports, so that a fault of the client and one of its tests cannot hide each other.
"""
