"""Settings of the service, read once from the environment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_LEVELS = ("debug", "info", "warning", "error")
PREFIX = "NOTES_"


class ConfigError(ValueError):
    """A variable has a value that the service cannot work with."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}: expected {expected}, got `{value}`")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment may choose. Every field has a default that suits a laptop."""

    database: str = ":memory:"
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "info"
    max_body_bytes: int = 64 * 1024
    page_size: int = 50

    @classmethod
    def from_environment(cls, environment: "Mapping[str, str]") -> "Settings":
        """Build the settings from `NOTES_*` variables; an empty one counts as not given."""
        given = {
            name.removeprefix(PREFIX): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value
        }
        default = cls()
        return cls(
            database=given.get("DATABASE", default.database),
            host=given.get("HOST", default.host),
            port=_integer(given, "PORT", default.port, 1, 65_535),
            log_level=_choice(given, "LOG_LEVEL", default.log_level, LOG_LEVELS),
            max_body_bytes=_integer(given, "MAX_BODY_BYTES", default.max_body_bytes, 1, 1 << 24),
            page_size=_integer(given, "PAGE_SIZE", default.page_size, 1, 500),
        )


def _integer(given: "Mapping[str, str]", name: str, default: int, low: int, high: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ConfigError(PREFIX + name, text, f"a whole number from {low} to {high}")
    return value


def _choice(given: "Mapping[str, str]", name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise ConfigError(PREFIX + name, value, "one of " + ", ".join(allowed))
    return value
