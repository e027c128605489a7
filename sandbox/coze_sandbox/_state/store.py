"""The state: JSON documents in SQLite."""

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
# Fails where the tables are somebody else's.
_SCHEMA_CHECK = "SELECT seq, kind, id, parent, body FROM documents LIMIT 1; SELECT name, value FROM facts LIMIT 1;"
_LOCK_TIMEOUT = 1.0  # seconds that whoever had the file before has to let go of it


class Store:
    """Documents by kind and id, listed by parent in the order in which they were made.

    Safe to use from several threads; one lock guards one connection, which is faster here than a
    pool.

    Args:
        path: The SQLite file, or `:memory:`.

    Raises:
        ValueError: The file cannot be opened, is no database of a sandbox, or another sandbox uses it.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._connection = _open(path)
        # A sandbox that was made and never used need not be closed: Python would complain about the file left open.
        weakref.finalize(self, self._connection.close)
        self._depth = 0
        self._after: list[Callable[[], None]] = []

    @property
    def changes(self) -> int:
        """A number that grows whenever something is changed: as long as it is the same, nothing was."""
        return self._connection.total_changes

    def exclusive(self) -> AbstractContextManager[Any]:
        """Keep other threads from reading and changing anything inside."""
        return self._lock

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that happens inside, or nothing of it where it raises."""
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
        """Have something done when the changes so far are sure to stay, and never if they are undone."""
        with self._lock:
            if self._depth:
                self._after.append(work)
                return
        work()

    def put(self, kind: str, key: str, document: Document, parent: str = "") -> Document:
        """Add or replace a document, which keeps its place in the order, and return it."""
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
        """Return the document, or None where there is none."""
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
        """Return how many documents there are of each kind."""
        with self._lock:
            query = "SELECT kind, count(*) FROM documents GROUP BY kind ORDER BY kind"
            return dict(self._connection.execute(query).fetchall())

    def delete(self, kind: str, key: str) -> bool:
        """Remove a document and tell whether it was there."""
        with self._lock:
            cursor = self._connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))
        return cursor.rowcount > 0

    def delete_children(self, kind: str, parent: str) -> None:
        """Remove all documents of a kind that have this parent."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND parent = ?", (kind, parent))

    def get_meta(self, name: str) -> str | None:
        """Return a single value kept beside the documents."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a single value."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM documents")
            self._connection.execute("DELETE FROM facts")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def public(document: Mapping[str, Any]) -> Document:
    """Return a document without what is kept for the sandbox alone: members that begin with an underscore."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _open(path: str) -> sqlite3.Connection:
    if not path.strip():
        raise ValueError("cannot keep the state: the name of the file is empty")
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT, check_same_thread=False, isolation_level=None)
        # Two that write the same state would confuse each other: each has ids and times of its own. The lock that keeps
        # others out is held by the operating system, so that it ends with the process, however that ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Losing the last writes when the machine goes down is fine here; waiting for the disk is not.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(f"{_TABLES} BEGIN IMMEDIATE; {_SCHEMA_CHECK} COMMIT;")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        reason = "another sandbox uses it" if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else error
        raise ValueError(f"cannot keep the state in {path}: {reason}") from error
    return connection


def _document(body: str) -> Document:
    document: Document = json.loads(body)
    return document
