"""Every way into Coze, with tokens that look after themselves. The guide docs/guides/auth.md helps to choose.

Flows get tokens; strategies (`Coze(auth=…)`) use and renew them; stores keep them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._bearer import async_authorization as async_authorization
    from ._bearer import authorization as authorization
    from ._callback import new_state as new_state
    from ._callback import new_verifier as new_verifier
    from ._callback import parse_callback as parse_callback
    from ._code import AsyncPKCEOAuth as AsyncPKCEOAuth
    from ._code import AsyncWebOAuth as AsyncWebOAuth
    from ._code import PKCEOAuth as PKCEOAuth
    from ._code import WebOAuth as WebOAuth
    from ._device import AsyncDeviceOAuth as AsyncDeviceOAuth
    from ._device import DeviceCode as DeviceCode
    from ._device import DeviceOAuth as DeviceOAuth
    from ._file_store import FileStore as FileStore
    from ._jwt import AsyncJWTOAuth as AsyncJWTOAuth
    from ._jwt import JWTAuth as JWTAuth
    from ._jwt import JWTOAuth as JWTOAuth
    from ._jwt import JWTOptions as JWTOptions
    from ._redis_store import RedisStore as RedisStore
    from ._renewals import TokenSource as TokenSource
    from ._stores import MemoryStore as MemoryStore
    from ._stores import TokenStore as TokenStore
    from ._strategy import TokenAuth as TokenAuth
    from ._token import Token as Token

__all__ = [
    "AsyncDeviceOAuth",
    "AsyncJWTOAuth",
    "AsyncPKCEOAuth",
    "AsyncWebOAuth",
    "DeviceCode",
    "DeviceOAuth",
    "FileStore",
    "JWTAuth",
    "JWTOAuth",
    "JWTOptions",
    "MemoryStore",
    "PKCEOAuth",
    "RedisStore",
    "Token",
    "TokenAuth",
    "TokenSource",
    "TokenStore",
    "WebOAuth",
    "async_authorization",
    "authorization",
    "new_state",
    "new_verifier",
    "parse_callback",
]

_MODULES = {
    "AsyncDeviceOAuth": "_device",
    "AsyncJWTOAuth": "_jwt",
    "AsyncPKCEOAuth": "_code",
    "AsyncWebOAuth": "_code",
    "DeviceCode": "_device",
    "DeviceOAuth": "_device",
    "FileStore": "_file_store",
    "JWTAuth": "_jwt",
    "JWTOAuth": "_jwt",
    "JWTOptions": "_jwt",
    "MemoryStore": "_stores",
    "PKCEOAuth": "_code",
    "RedisStore": "_redis_store",
    "Token": "_token",
    "TokenAuth": "_strategy",
    "TokenSource": "_renewals",
    "TokenStore": "_stores",
    "WebOAuth": "_code",
    "async_authorization": "_bearer",
    "authorization": "_bearer",
    "new_state": "_callback",
    "new_verifier": "_callback",
    "parse_callback": "_callback",
}

if not TYPE_CHECKING:  # visible to type checkers, it would make every misspelt name valid

    def __getattr__(name):
        from coze_api._core._lazy import load

        return load(__name__, globals(), _MODULES, name)

    def __dir__():
        return sorted(__all__)
