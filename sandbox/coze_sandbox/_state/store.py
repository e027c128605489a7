"""JSON documents in SQLite."""

from __future__ import annotations

import builtins
import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

__all__ = ["Document", "Store", "public"]

Document = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS by_parent ON documents (kind, parent, seq);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Fails if another program created the tables.
_SCHEMA_CHECK = "SELECT seq, kind, id, parent, body FROM documents LIMIT 1; SELECT name, value FROM facts LIMIT 1;"
_LOCK_TIMEOUT = 1.0  # seconds


class Store:
    """Documents by kind and id, listed by parent in order of creation.

    Thread-safe: one lock guards one connection, which is faster here than a pool.

    Args:
        path: The SQLite file, or `:memory:`.

    Raises:
        ValueError: The file cannot be opened, is not a database of a sandbox, or is in use by another sandbox.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._connection = _open(path)
        # A sandbox that was created and never closed must not cause a ResourceWarning.
        weakref.finalize(self, self._connection.close)
        self._depth = 0
        self._after: list[Callable[[], None]] = []

    @property
    def changes(self) -> int:
        """Number of changes so far: if it is the same as before, nothing was changed."""
        return self._connection.total_changes

    def exclusive(self) -> AbstractContextManager[Any]:
        """Return a context manager that excludes other threads."""
        return self._lock

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes made inside, or roll them back on an exception."""
        after: list[Callable[[], None]] = []
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                    self._after = []
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")
                after, self._after = self._after, []
        for work in after:
            work()

    def after_commit(self, work: Callable[[], None]) -> None:
        """Call *work* after the current transaction is committed; drop it on rollback."""
        with self._lock:
            if self._depth:
                self._after.append(work)
                return
        work()

    def put(self, kind: str, key: str, document: Document, parent: str = "") -> Document:
        """Insert or replace a document, which keeps its position, and return it."""
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents (kind, id, parent, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, id)"
                " DO UPDATE SET parent = excluded.parent, body = excluded.body",
                (kind, key, parent, body),
            )
        return document

    def get(self, kind: str, key: str) -> Document | None:
        """Return a document, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)
            ).fetchone()
        return None if row is None else _document(row[0])

    def list(self, kind: str, parent: str | None = None) -> list[Document]:
        """Return all documents of a kind, or those of one parent, oldest first."""
        query = "SELECT body FROM documents WHERE kind = ?"
        values: tuple[str, ...] = (kind,)
        if parent is not None:
            query, values = f"{query} AND parent = ?", (kind, parent)
        with self._lock:
            rows = self._connection.execute(f"{query} ORDER BY seq", values).fetchall()
        return [_document(row[0]) for row in rows]

    def items(self, kind: str) -> dict[str, Document]:
        """Return all documents of a kind by their ids, oldest first."""
        query = "SELECT id, body FROM documents WHERE kind = ? ORDER BY seq"
        with self._lock:
            rows = self._connection.execute(query, (kind,)).fetchall()
        return {row[0]: _document(row[1]) for row in rows}

    def newest(self, kind: str, most: int) -> builtins.list[tuple[str, Document]]:
        """Return the last documents of a kind with their ids, newest first."""
        query = "SELECT id, body FROM documents WHERE kind = ? ORDER BY seq DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(query, (kind, most)).fetchall()
        return [(row[0], _document(row[1])) for row in rows]

    def kinds(self) -> dict[str, int]:
        """Return the number of documents of each kind."""
        with self._lock:
            query = "SELECT kind, count(*) FROM documents GROUP BY kind ORDER BY kind"
            return dict(self._connection.execute(query).fetchall())

    def delete(self, kind: str, key: str) -> bool:
        """Delete a document and return whether it existed."""
        with self._lock:
            cursor = self._connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))
        return cursor.rowcount > 0

    def delete_children(self, kind: str, parent: str) -> None:
        """Delete all documents of a kind with this parent."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND parent = ?", (kind, parent))

    def get_meta(self, name: str) -> str | None:
        """Return a metadata value, or None."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Set a metadata value."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )

    def clear(self) -> None:
        """Delete everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM documents")
            self._connection.execute("DELETE FROM facts")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def public(document: Mapping[str, Any]) -> Document:
    """Return a document without its internal members, whose names begin with an underscore."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _open(path: str) -> sqlite3.Connection:
    if not path.strip():
        raise ValueError("cannot store the state: the file name is empty")
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT, check_same_thread=False, isolation_level=None)
        # Two sandboxes with the same file would overwrite each other's ids and clock. The lock is one of the operating
        # system, which releases it when the process ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Losing the last writes when the machine crashes is fine here; waiting for the disk is not.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(f"{_TABLES} BEGIN IMMEDIATE; {_SCHEMA_CHECK} COMMIT;")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        reason = "the file is in use by another sandbox" if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else error
        raise ValueError(f"cannot store the state in {path}: {reason}") from error
    return connection


def _document(body: str) -> Document:
    document: Document = json.loads(body)
    return document
