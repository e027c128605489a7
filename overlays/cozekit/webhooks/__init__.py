"""Callbacks (webhooks): verify the requests that Coze sends to your server, and respond to them.

```python
from cozekit import webhooks

message = webhooks.parse(request.headers, request.body, token=verify_token)
```

`ASGIApp` and `WSGIApp` are applications that do this, for any server.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._asgi import ASGIApp as ASGIApp
    from ._errors import InvalidSignature as InvalidSignature
    from ._errors import MalformedCallback as MalformedCallback
    from ._errors import StaleCallback as StaleCallback
    from ._errors import WebhookError as WebhookError
    from ._parse import Challenge as Challenge
    from ._parse import parse as parse
    from ._responses import approve as approve
    from ._responses import in_review as in_review
    from ._responses import reject as reject
    from ._wsgi import WSGIApp as WSGIApp

__all__ = [
    "ASGIApp",
    "Challenge",
    "InvalidSignature",
    "MalformedCallback",
    "StaleCallback",
    "WSGIApp",
    "WebhookError",
    "approve",
    "in_review",
    "parse",
    "reject",
]

_MODULES = {
    "ASGIApp": "_asgi",
    "Challenge": "_parse",
    "InvalidSignature": "_errors",
    "MalformedCallback": "_errors",
    "StaleCallback": "_errors",
    "WSGIApp": "_wsgi",
    "WebhookError": "_errors",
    "approve": "_responses",
    "in_review": "_responses",
    "parse": "_parse",
    "reject": "_responses",
}

if not TYPE_CHECKING:  # visible to type checkers, it would make every misspelt name valid

    def __getattr__(name):
        from coze_api._core._lazy import load

        return load(__name__, globals(), _MODULES, name)

    def __dir__():
        return sorted(__all__)
