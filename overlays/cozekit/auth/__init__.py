"""OAuth flows, and tokens that are refreshed automatically. The guide docs/guides/auth.md helps to choose a flow.

Flows get tokens; an auth (`Coze(auth=…)`) uses and refreshes them; stores keep them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._authorization import async_authorization as async_authorization
    from ._authorization import authorization as authorization
    from ._authorization_code import PKCEOAuth as PKCEOAuth
    from ._authorization_code import WebOAuth as WebOAuth
    from ._authorization_code_async import AsyncPKCEOAuth as AsyncPKCEOAuth
    from ._authorization_code_async import AsyncWebOAuth as AsyncWebOAuth
    from ._device_code import DeviceOAuth as DeviceOAuth
    from ._device_code_async import AsyncDeviceOAuth as AsyncDeviceOAuth
    from ._device_code_async import DeviceCode as DeviceCode
    from ._file_store import FileStore as FileStore
    from ._jwt import JWTOAuth as JWTOAuth
    from ._jwt_async import AsyncJWTOAuth as AsyncJWTOAuth
    from ._jwt_base import JWTAuth as JWTAuth
    from ._jwt_base import JWTOptions as JWTOptions
    from ._redirect import new_state as new_state
    from ._redirect import new_verifier as new_verifier
    from ._redirect import parse_callback as parse_callback
    from ._redis_store import RedisStore as RedisStore
    from ._token import Token as Token
    from ._token_auth import TokenAuth as TokenAuth
    from ._token_manager import TokenSource as TokenSource
    from ._token_store import MemoryStore as MemoryStore
    from ._token_store import TokenStore as TokenStore

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
    "AsyncDeviceOAuth": "_device_code_async",
    "AsyncJWTOAuth": "_jwt_async",
    "AsyncPKCEOAuth": "_authorization_code_async",
    "AsyncWebOAuth": "_authorization_code_async",
    "DeviceCode": "_device_code_async",
    "DeviceOAuth": "_device_code",
    "FileStore": "_file_store",
    "JWTAuth": "_jwt_base",
    "JWTOAuth": "_jwt",
    "JWTOptions": "_jwt_base",
    "MemoryStore": "_token_store",
    "PKCEOAuth": "_authorization_code",
    "RedisStore": "_redis_store",
    "Token": "_token",
    "TokenAuth": "_token_auth",
    "TokenSource": "_token_manager",
    "TokenStore": "_token_store",
    "WebOAuth": "_authorization_code",
    "async_authorization": "_authorization",
    "authorization": "_authorization",
    "new_state": "_redirect",
    "new_verifier": "_redirect",
    "parse_callback": "_redirect",
}

if not TYPE_CHECKING:  # visible to type checkers, it would make every misspelt name valid

    def __getattr__(name):
        from coze_api._core._lazy import load

        return load(__name__, globals(), _MODULES, name)

    def __dir__():
        return sorted(__all__)
