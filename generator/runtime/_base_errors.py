"""The exceptions that need nothing else of this package, so that every module can raise them."""

from __future__ import annotations

from typing import Any, ClassVar

from ._secrets import mask

__all__ = ["CozeError", "InvalidArgumentError"]


class CozeError(Exception):
    """Anything that goes wrong in a call. Its text shows no token and no key, whatever it quotes."""

    _connected: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold a connection, which pickling replaces by None."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(mask(argument) if isinstance(argument, str) else argument for argument in args))

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword arguments do not survive pickling by themselves, and process pools pickle them.
        return (_restore, (type(self), self.args, {**self.__dict__, **dict.fromkeys(self._connected)}))


def _restore(cls: type[CozeError], args: tuple[Any, ...], state: dict[str, Any]) -> CozeError:
    """Rebuild a pickled exception without calling its `__init__`."""
    error = cls.__new__(cls)
    error.args = args  # `__new__` does not set them for those that are an OSError as well
    error.__dict__.update(state)
    return error


class InvalidArgumentError(CozeError, ValueError):
    """An argument does not fit the description. Nothing was sent."""
