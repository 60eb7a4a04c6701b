"""The service as a client meets it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_health_says_ok_and_the_version(client: "TestClient") -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "0.1.0"}


def test_a_note_can_be_added_read_replaced_and_deleted(client: "TestClient") -> None:
    added = client.post("/notes", json={"title": "  Milk ", "tags": ["Shop", "shop", ""]})
    assert added.status_code == 201
    place = added.headers["location"]
    assert client.get(place).json() == added.json()
    assert added.json()["title"] == "Milk"
    assert added.json()["tags"] == ["shop"]

    replaced = client.put(place, json={"title": "Milk", "text": "two litres"})
    assert replaced.status_code == 200
    assert replaced.json()["text"] == "two litres"
    assert replaced.json()["created"] == added.json()["created"]

    assert client.delete(place).status_code == 204
    for answer in (
        client.get(place),
        client.put(place, json={"title": "x"}),
        client.delete(place),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"error": "no such note"}


def test_the_list_is_newest_first_by_tag_and_in_pages(client: "TestClient") -> None:
    for number in range(5):
        tags = ["odd"] if number % 2 else []
        client.post("/notes", json={"title": f"note {number}", "tags": tags})

    def titles(query: str) -> list[str]:
        return [note["title"] for note in client.get(f"/notes{query}").json()["notes"]]

    assert titles("") == ["note 4", "note 3", "note 2"]
    assert titles("?offset=3") == ["note 1", "note 0"]
    assert titles("?tag=odd&limit=1") == ["note 3"]


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ([], {"body": "must be a JSON object"}),
        ({}, {"title": "must not be empty"}),
        ({"title": 1}, {"title": "must be a string"}),
        ({"title": "x" * 201}, {"title": "must have at most 200 characters"}),
        ({"title": "x", "colour": "red"}, {"colour": "is not a known field"}),
        ({"title": "x", "tags": "a"}, {"tags": "must be a list of strings"}),
        (
            {"title": "x", "tags": ["a" * 33]},
            {"tags": "must have entries of at most 32 characters"},
        ),
        (
            {"title": "x", "tags": [str(number) for number in range(17)]},
            {"tags": "must have at most 16 entries"},
        ),
    ],
)
def test_a_bad_note_is_refused_by_field(
    client: "TestClient", body: object, problems: dict[str, str]
) -> None:
    answer = client.post("/notes", json=body)
    assert answer.status_code == 422
    assert answer.json() == {"error": "invalid", "problems": problems}


def test_a_body_that_is_no_json_is_refused(client: "TestClient") -> None:
    answer = client.post("/notes", content=b"{")
    assert answer.json()["problems"] == {"body": "must be JSON"}


def test_a_body_over_the_limit_is_refused(client: "TestClient") -> None:
    answer = client.post("/notes", json={"title": "x", "text": "y" * 2_000})
    assert answer.status_code == 413
    assert answer.json() == {"error": "a note has at most 2000 bytes"}


@pytest.mark.parametrize("query", ["limit=0", "limit=4", "limit=many", "offset=-1"])
def test_a_bad_page_is_refused(client: "TestClient", query: str) -> None:
    answer = client.get(f"/notes?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["problems"]) == [query.partition("=")[0]]
