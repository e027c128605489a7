"""How requests are sent: the HTTP library, its connections, and the proxies they go through.

`httpx_async.py` makes the transport of async clients; that of sync clients is derived from it.
"""
