"""HTTP backends: the libraries that send a client's requests.

Each has a module of its own here, with `async_transport` and, if it serves threads too, `sync_transport`. To the rest
of the client, every backend is a transport of httpx, and raises errors of httpx only.
"""
