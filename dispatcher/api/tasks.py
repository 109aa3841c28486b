"""The API's routes for tasks."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.ports import Showing, TaskDesk
from dispatcher.api.views import (
    FaultOut,
    TaskDetail,
    TaskOut,
    TasksPage,
    View,
    fault_out,
    task_detail,
    task_out,
)
from dispatcher.desks.intake import parse
from dispatcher.desks.schemas import task_schemas
from dispatcher.desks.task_in import AnyTaskIn, Word
from dispatcher.domain.task import Kind, Priority, Task, TaskId, TaskState
from dispatcher.errors import NotFound, Refused
from dispatcher.records.store import TaskQuery
from fleet.vehicle import VehicleId
from routing.site import PlaceId

MAX_ROWS = 1000


class BatchIn(BaseModel):
    """Many tasks; each row is judged by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MAX_ROWS,
            json_schema_extra={"items": {"type": "object", "description": "as POST /tasks"}},
        ),
    ]


class RowOut(View):
    """The answer to one row: its task, or every reason why not."""

    row: int
    task: TaskOut | None = None
    errors: list[FaultOut] | None = None


class BatchOut(View):
    """The answers to all rows, in their order."""

    results: list[RowOut]
    accepted: int
    refused: int


class PriorityIn(BaseModel):
    """A new priority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: Priority


def _split(value: object) -> object:
    """``a,b`` is as good as a parameter given twice."""
    parts = value if isinstance(value, list) else [value]
    return [word for part in parts for word in str(part).split(",") if word]


class TasksQuery(BaseModel):
    """What a list of tasks may be narrowed by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Annotated[list[TaskState], BeforeValidator(_split)] = []
    kind: Annotated[list[Kind], BeforeValidator(_split)] = []
    place: Word | None = None
    vehicle: Word | None = None
    q: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: Annotated[int | None, Field(ge=1, lt=2**62)] = None

    def to_query(self) -> TaskQuery:
        """The same as the store knows it."""
        return TaskQuery(
            states=tuple(self.state),
            kinds=tuple(self.kind),
            place=None if self.place is None else PlaceId(self.place),
            vehicle=None if self.vehicle is None else VehicleId(self.vehicle),
            text=self.q,
            limit=self.limit,
            cursor=self.cursor,
        )


def task_views(service: Showing) -> APIRouter:
    """The routes that look at tasks, and the schemas that forms are made from."""
    router = APIRouter(tags=["tasks"])

    @router.get("/tasks")
    async def list_tasks(query: Annotated[TasksQuery, Query()]) -> TasksPage:
        """Tasks, the newest first; open and ended ones."""
        page = await service.store.page(query.to_query())
        shown = [task_out(task, service.site, service.clock) for task in page.tasks]
        return TasksPage(tasks=shown, next=page.next, total=page.total)

    @router.get("/tasks/{task}")
    async def show_task(task: str) -> TaskDetail:
        """One task with all that happened to it."""
        found = await _find(service, TaskId(task))
        events = await service.store.timeline(found.id)
        return task_detail(found, events, service.site, service.clock)

    @router.get("/schemas")
    async def schemas() -> dict[str, dict[str, Any]]:
        """The JSON Schema of each kind of task, with hints and words for forms."""
        return task_schemas()

    return router


def task_orders(service: Showing, desk: TaskDesk, once: Once) -> APIRouter:
    """The routes that ask for tasks, and change them."""
    router = APIRouter(tags=["tasks"])

    def shown(task: Task) -> TaskOut:
        return task_out(task, service.site, service.clock)

    @router.post("/tasks", status_code=201, response_model=TaskOut)
    async def create_task(
        request: Request, asked: Annotated[AnyTaskIn, Body()], key: Key = None
    ) -> Response:
        """Queue one task; when the answer comes, the task is on disk."""

        async def write() -> str:
            return shown(await desk.submit(asked, key=key)).model_dump_json(by_alias=True)

        return await once.run(request, key, write, status=201)

    @router.post("/tasks/batch", response_model=BatchOut)
    async def create_tasks(request: Request, batch: BatchIn, key: Key = None) -> Response:
        """Queue many tasks, with one clear answer for each row."""

        async def write() -> str:
            rows = [parse(row) for row in batch.tasks]
            answers = await desk.submit_batch(rows, key=key)
            results = [_row(number, answer) for number, answer in enumerate(answers)]
            accepted = sum(result.task is not None for result in results)
            out = BatchOut(results=results, accepted=accepted, refused=len(results) - accepted)
            return out.model_dump_json(by_alias=True, exclude_unset=True)

        return await once.run(request, key, write)

    def _row(number: int, answer: Task | Refused) -> RowOut:
        if isinstance(answer, Refused):
            return RowOut(row=number, errors=[fault_out(fault) for fault in answer.faults])
        return RowOut(row=number, task=shown(answer))

    @router.post("/tasks/{task}/cancel", response_model=TaskOut)
    async def cancel_task(request: Request, task: str, key: Key = None) -> Response:
        """Stop a task; one that is stopped already stays so."""

        async def write() -> str:
            found = await _find(service, TaskId(task))
            if found.state not in (TaskState.CANCELLING, TaskState.CANCELLED):
                found = await desk.cancel(found.id)
            return shown(found).model_dump_json(by_alias=True)

        return await once.run(request, key, write)

    @router.post("/tasks/{task}/priority", response_model=TaskOut)
    async def change_priority(
        request: Request, task: str, wanted: PriorityIn, key: Key = None
    ) -> Response:
        """Change how urgent a task is; what is planned is planned anew."""

        async def write() -> str:
            found = await desk.prioritise(TaskId(task), wanted.priority)
            return shown(found).model_dump_json(by_alias=True)

        return await once.run(request, key, write)

    return router


async def _find(service: Showing, task: TaskId) -> Task:
    try:
        return service.task(task)
    except NotFound:
        found = await service.store.task(task)
        if found is None:
            raise
        return found
