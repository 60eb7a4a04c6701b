"""The notes themselves, and the rules for what a client may send."""

from dataclasses import dataclass
from datetime import datetime

MAX_TITLE = 200
MAX_TEXT = 20_000
MAX_TAGS = 16
MAX_TAG = 32
FIELDS = frozenset({"title", "text", "tags"})


class ValidationError(ValueError):
    """What is wrong with a request, by field, so that a form can show it in place."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {what}" for field, what in problems.items()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Draft:
    """A note as a client sends it: checked, but not yet stored."""

    title: str
    text: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: object) -> "Draft":
        """Check a decoded JSON document and name every problem at once."""
        if not isinstance(body, dict):
            raise ValidationError({"body": "must be a JSON object"})
        problems = {str(name): "is not a known field" for name in body if name not in FIELDS}
        title = _text(body, "title", MAX_TITLE, problems).strip()
        text = _text(body, "text", MAX_TEXT, problems)
        tags = _tags(body.get("tags", []), problems)
        if not title and "title" not in problems:
            problems["title"] = "must not be empty"
        if problems:
            raise ValidationError(problems)
        return cls(title=title, text=text, tags=tags)


@dataclass(frozen=True, slots=True)
class Note:
    """A stored note."""

    id: int
    title: str
    text: str
    tags: tuple[str, ...]
    created: datetime
    updated: datetime

    def to_json(self) -> dict[str, object]:
        """The note as the API shows it."""
        return {
            "id": self.id,
            "title": self.title,
            "text": self.text,
            "tags": list(self.tags),
            "created": self.created.isoformat(),
            "updated": self.updated.isoformat(),
        }


def _text(body: dict[object, object], field: str, limit: int, problems: dict[str, str]) -> str:
    value = body.get(field, "")
    if not isinstance(value, str):
        problems[field] = "must be a string"
        return ""
    if len(value) > limit:
        problems[field] = f"must have at most {limit} characters"
    return value


def _tags(value: object, problems: dict[str, str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        problems["tags"] = "must be a list of strings"
        return ()
    tags = tuple(sorted({tag.strip().lower() for tag in value} - {""}))
    if len(tags) > MAX_TAGS:
        problems["tags"] = f"must have at most {MAX_TAGS} entries"
    elif any(len(tag) > MAX_TAG for tag in tags):
        problems["tags"] = f"must have entries of at most {MAX_TAG} characters"
    return tags
