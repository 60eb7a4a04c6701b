"""Where notes are kept: one SQLite file, or memory for tests and laptops."""

import json
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from notes.models import Draft, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
)
"""

Row: TypeAlias = tuple[int, str, str, str, str, str]


class NoteStore:
    """All access to the database. Handlers run in threads, so one lock guards the connection."""

    def __init__(self, path: str) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        with self._transaction() as connection:
            connection.execute(SCHEMA)

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the database back; the store cannot be used afterwards."""
        self._connection.close()

    def add(self, draft: Draft) -> Note:
        """Store a new note and return it with its number."""
        now = datetime.now(UTC)
        values = (draft.title, draft.text, json.dumps(draft.tags), now.isoformat(), now.isoformat())
        with self._transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO notes (title, text, tags, created, updated) VALUES (?, ?, ?, ?, ?)",
                values,
            )
        if cursor.lastrowid is None:
            raise sqlite3.DatabaseError("the database gave the new note no number")
        return Note(cursor.lastrowid, draft.title, draft.text, draft.tags, now, now)

    def get(self, note_id: int) -> Note | None:
        """One note, or nothing where there is none of that number."""
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM notes WHERE id = ?", (note_id,)).fetchone()
        return None if row is None else _note(row)

    def page(self, *, tag: str | None, limit: int, offset: int) -> list[Note]:
        """Notes, newest change first, of one tag where it is given."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM notes WHERE ?1 IS NULL"
                " OR EXISTS (SELECT 1 FROM json_each(notes.tags) WHERE value = ?1)"
                " ORDER BY updated DESC, id DESC LIMIT ?2 OFFSET ?3",
                (tag, limit, offset),
            ).fetchall()
        return [_note(row) for row in rows]

    def replace(self, note_id: int, draft: Draft) -> Note | None:
        """Give a note new content; nothing where there is none of that number."""
        now = datetime.now(UTC).isoformat()
        with self._transaction() as connection:
            connection.execute(
                "UPDATE notes SET title = ?, text = ?, tags = ?, updated = ? WHERE id = ?",
                (draft.title, draft.text, json.dumps(draft.tags), now, note_id),
            )
        return self.get(note_id)

    def delete(self, note_id: int) -> bool:
        """Whether there was such a note; afterwards there is none."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM notes WHERE id = ?", (note_id,)).rowcount == 1

    def ping(self) -> bool:
        """Whether the database answers."""
        try:
            with self._transaction() as connection:
                connection.execute("SELECT 1 FROM notes LIMIT 1")
        except sqlite3.Error:
            return False
        return True

    @contextmanager
    def _transaction(self) -> "Iterator[sqlite3.Connection]":
        with self._lock, self._connection:
            yield self._connection


def _note(row: Row) -> Note:
    note_id, title, text, tags, created, updated = row
    return Note(
        id=note_id,
        title=title,
        text=text,
        tags=tuple(json.loads(tags)),
        created=datetime.fromisoformat(created),
        updated=datetime.fromisoformat(updated),
    )
