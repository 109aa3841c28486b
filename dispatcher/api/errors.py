"""The one shape of every error that the API answers with."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from dispatcher.api.views import FaultOut, View, fault_out
from dispatcher.desks.intake_faults import faults_of
from dispatcher.desks.task_in import MODELS
from dispatcher.errors import FieldFault, IllegalMove, KeyTaken, NotFound, Refused

log = logging.getLogger(__name__)


class Problem(View):
    """What went wrong: a stable code, an English sentence, and the fields to blame."""

    code: str
    message: str
    fields: list[FaultOut]


class ProblemOut(View):
    """The body of every answer from 400 on."""

    error: Problem


def problem(status: int, code: str, message: str, faults: Sequence[FieldFault] = ()) -> Response:
    """An error as an answer."""
    fields = [fault_out(fault) for fault in faults]
    body = ProblemOut(error=Problem(code=code, message=message, fields=fields))
    return Response(
        json.dumps(body.model_dump()), status_code=status, media_type="application/json"
    )


def say_errors(app: FastAPI) -> None:
    """Have every error answered in the one shape, and no trace ever shown."""
    for error, answer in _ANSWERS.items():
        app.add_exception_handler(error, answer)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        where = details[0]["loc"][-1]
        why = details[0].get("ctx", {}).get("error", "")
        return problem(400, "broken_json", f"the body is not JSON: {why} at character {where}")
    faults = faults_of(details, MODELS)
    said = "; ".join(f"{f.field or 'body'}: {f.reason.code}: {f.remedy}" for f in faults[:5])
    return problem(422, "invalid", said, faults)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem(422, "refused", str(error), error.faults)


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, NotFound)
    return problem(404, "not_found", str(error))


async def _conflict(_: Request, error: Exception) -> Response:
    return problem(
        409, "illegal_move" if isinstance(error, IllegalMove) else "key_taken", str(error)
    )


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        answer = problem(400, "broken_json", "the body can't be read as JSON")
    else:
        status = HTTPStatus(error.status_code)
        answer = problem(status, status.name.lower(), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _crash(request: Request, error: Exception) -> Response:
    log.error("%s %s failed: %r", request.method, request.url.path, error)
    return problem(500, "internal", "the dispatcher made a mistake; its log says more")


Handler = Callable[[Request, Exception], Awaitable[Response]]
_ANSWERS: dict[type[Exception], Handler] = {
    RequestValidationError: _invalid,
    Refused: _refused,
    NotFound: _not_found,
    IllegalMove: _conflict,
    KeyTaken: _conflict,
    HTTPException: _http,
    Exception: _crash,
}
