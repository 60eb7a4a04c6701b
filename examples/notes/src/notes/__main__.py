"""Run the service: `python -m notes`."""

import os
import sys

import uvicorn

from notes.app import create_app
from notes.config import ConfigError, Settings


def main() -> int:
    """Serve until stopped; 2 where the environment is wrong."""
    try:
        settings = Settings.from_environment(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
