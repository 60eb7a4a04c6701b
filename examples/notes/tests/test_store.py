"""What only the store can show."""

from typing import TYPE_CHECKING

from notes.models import Draft
from notes.store import NoteStore

if TYPE_CHECKING:
    from pathlib import Path


def test_notes_outlive_the_process(tmp_path: "Path") -> None:
    path = str(tmp_path / "notes.db")
    with NoteStore(path) as store:
        added = store.add(Draft(title="Milk", tags=("shop",)))
    with NoteStore(path) as store:
        assert store.get(added.id) == added


def test_a_closed_store_is_not_healthy() -> None:
    store = NoteStore(":memory:")
    assert store.ping()
    store.close()
    assert not store.ping()
