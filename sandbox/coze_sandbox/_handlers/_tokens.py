"""Access tokens that the sandbox has given out, and the JWTs that it gives them for."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from .._call import Call
from .._oauth_errors import OAuthFailure
from .._world import World

__all__ = ["LIFETIME", "new_secret", "new_token", "read_jwt"]

LIFETIME = 900
"""Seconds that a token is valid where nothing else is asked for."""

_CLAIMS = ("iss", "aud", "iat", "exp", "jti")


def new_secret(world: World, prefix: str) -> str:
    """Return a text that is given out once."""
    seed = f"{world.options.seed} {world.new_id()}"
    return prefix + hashlib.sha256(seed.encode()).hexdigest()


def new_token(world: World, prefix: str, seconds: int = LIFETIME) -> dict[str, Any]:
    """Make an access token, which opens the other operations until it expires."""
    token, expires = new_secret(world, prefix), world.clock.seconds() + seconds
    world.store.put("token", token, {"expires_at": expires})
    # Not a duration: Coze writes the moment here.
    return {"access_token": token, "expires_in": expires, "token_type": "Bearer"}


def read_jwt(call: Call) -> dict[str, Any]:
    """Check the JWT of a call, which works once, and return its claims.

    The sandbox knows no keys of apps, so the signature is not checked.

    Raises:
        OAuthFailure: It is no JWT, a claim is missing, it has expired or was used.
    """
    parts = call.bearer.split(".")
    try:
        if len(parts) != 3 or not parts[2]:
            raise ValueError("three parts are needed")
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
        if header["alg"] != "RS256" or not header["kid"]:
            raise ValueError("header: RS256 and the id of a key are needed")
        absent = [name for name in _CLAIMS if not claims.get(name)]
        if absent:
            raise ValueError(f"claims: {', '.join(absent)} are needed")
        if not int(claims["iat"]) - 60 <= call.world.clock.now() < int(claims["exp"]):
            raise ValueError("claims: it is too early or too late")
        jti = str(claims["jti"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise OAuthFailure("invalid_client", f"invalid JWT: {error}") from error
    if call.world.find("jwt", jti) is not None:
        raise OAuthFailure("invalid_client", "invalid JWT: it was used before")
    call.world.store.put("jwt", jti, {})
    result: dict[str, Any] = claims
    return result


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
