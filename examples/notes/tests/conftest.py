"""A running application with an empty database in memory."""

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from notes.app import create_app
from notes.config import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def client() -> "Iterator[TestClient]":
    with TestClient(create_app(Settings(max_body_bytes=2_000, page_size=3))) as running:
        yield running
