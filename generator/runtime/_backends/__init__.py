"""HTTP backends: the libraries that send a client's requests.

Each has a module for async clients here, such as `aiohttp_async.py`, and one for sync clients, such as `reqwest.py`, if
it serves them. Both define `make_transport(route, limit)`. To the rest of the client, every backend is a transport of
httpx, and raises errors of httpx only.
"""
