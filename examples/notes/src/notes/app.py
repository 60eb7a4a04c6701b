"""The HTTP side: routes, and how errors look to a client."""

import json
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notes import __version__
from notes.config import Settings
from notes.models import Draft, ValidationError
from notes.store import NoteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


def create_app(settings: Settings | None = None) -> Starlette:
    """The application; without settings it reads them from the environment."""
    chosen = settings or Settings.from_environment(os.environ)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> "AsyncIterator[None]":
        with NoteStore(chosen.database) as store:
            app.state.store = store
            yield

    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/notes", list_notes, methods=["GET"]),
            Route("/notes", add_note, methods=["POST"]),
            Route("/notes/{note_id:int}", get_note, methods=["GET"]),
            Route("/notes/{note_id:int}", replace_note, methods=["PUT"]),
            Route("/notes/{note_id:int}", delete_note, methods=["DELETE"]),
        ],
        exception_handlers={ValidationError: invalid, HTTPException: refused},
        lifespan=lifespan,
    )
    app.state.settings = chosen
    return app


async def health(request: "Request") -> Response:
    """Whether the service can do its work; a load balancer reads the status."""
    healthy = await run_in_threadpool(_store(request).ping)
    body = {"status": "ok" if healthy else "unavailable", "version": __version__}
    return JSONResponse(body, status_code=200 if healthy else 503)


async def list_notes(request: "Request") -> Response:
    """A page of notes: `?tag=`, `?limit=` and `?offset=`."""
    page_size = _settings(request).page_size
    notes = await run_in_threadpool(
        _store(request).page,
        tag=request.query_params.get("tag"),
        limit=_query(request, "limit", page_size, 1, page_size),
        offset=_query(request, "offset", 0, 0, 1 << 31),
    )
    return JSONResponse({"notes": [note.to_json() for note in notes]})


async def add_note(request: "Request") -> Response:
    """Store a note and say where it is."""
    note = await run_in_threadpool(_store(request).add, await _draft(request))
    location = {"location": f"/notes/{note.id}"}
    return JSONResponse(note.to_json(), status_code=201, headers=location)


async def get_note(request: "Request") -> Response:
    """One note."""
    note = await run_in_threadpool(_store(request).get, _note_id(request))
    if note is None:
        raise HTTPException(404, "no such note")
    return JSONResponse(note.to_json())


async def replace_note(request: "Request") -> Response:
    """Give a note new content."""
    draft = await _draft(request)
    note = await run_in_threadpool(_store(request).replace, _note_id(request), draft)
    if note is None:
        raise HTTPException(404, "no such note")
    return JSONResponse(note.to_json())


async def delete_note(request: "Request") -> Response:
    """Remove a note."""
    if not await run_in_threadpool(_store(request).delete, _note_id(request)):
        raise HTTPException(404, "no such note")
    return Response(status_code=204)


async def invalid(_request: "Request", error: Exception) -> Response:
    """A request that breaks the rules: every problem, by field."""
    problems = cast("ValidationError", error).problems
    return JSONResponse({"error": "invalid", "problems": problems}, status_code=422)


async def refused(_request: "Request", error: Exception) -> Response:
    """An HTTP error in the same shape as all other answers."""
    http = cast("HTTPException", error)
    return JSONResponse({"error": http.detail}, status_code=http.status_code, headers=http.headers)


async def _draft(request: "Request") -> Draft:
    limit = _settings(request).max_body_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"a note has at most {limit} bytes")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ValidationError({"body": "must be JSON"}) from error
    return Draft.parse(document)


def _query(request: "Request", name: str, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
        raise ValidationError({name: f"must be a whole number from {low} to {high}"})
    return int(text)


def _note_id(request: "Request") -> int:
    return cast("int", request.path_params["note_id"])


def _settings(request: "Request") -> Settings:
    return cast("Settings", request.app.state.settings)


def _store(request: "Request") -> NoteStore:
    return cast("NoteStore", request.app.state.store)
