"""Settings from the environment."""

import pytest

from notes.__main__ import main
from notes.config import ConfigError, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({"NOTES_PORT": "", "PORT": "9"}) == Settings()


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "NOTES_DATABASE": "notes.db",
            "NOTES_HOST": "::1",
            "NOTES_PORT": "8080",
            "NOTES_LOG_LEVEL": "error",
            "NOTES_MAX_BODY_BYTES": "10",
            "NOTES_PAGE_SIZE": "5",
        }
    )
    assert settings == Settings("notes.db", "::1", 8080, "error", 10, 5)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NOTES_PORT", "http", "NOTES_PORT: expected a whole number from 1 to 65535, got `http`"),
        ("NOTES_PORT", "0", "NOTES_PORT: expected a whole number from 1 to 65535, got `0`"),
        (
            "NOTES_LOG_LEVEL",
            "loud",
            "NOTES_LOG_LEVEL: expected one of debug, info, warning, error, got `loud`",
        ),
    ],
)
def test_a_bad_value_names_its_variable(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({variable: value})
    assert str(caught.value) == message
    assert caught.value.variable == variable


def test_the_command_ends_with_2_where_the_environment_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTES_PORT", "http")
    assert main() == 2
    assert capsys.readouterr().err.startswith("error: NOTES_PORT: expected")
