"""A small notes service: JSON over HTTP, kept in SQLite."""

__version__ = "0.1.0"
