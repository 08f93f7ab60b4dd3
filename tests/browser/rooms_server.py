"""The API as far as the rooms ask it, with made-up batches, and a network that a test may cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assessment.contracts.page_files import PageFile, find_page_file, make_page
from assessment.contracts.report import report_result, write_report
from assessment.contracts.result import ResultDocument
from assessment.domain.comparison import Comparison
from assessment.domain.sign_in import SignIn
from tests.fakes.results import make_comparisons, make_result
from tests.unit.runner import documents

RUNNING, DONE, FAILED = "running", "done", "failed"
_MOMENT = "2026-11-26T08:00:00+00:00"
_REFUSALS = {409: "the batch is COMPLETED; it asks for nothing any more", 503: "try again later"}


def _send(sent: PageFile) -> Response:
    return Response(sent.text, media_type=sent.media_type, headers=sent.headers)


def _refuse(status: int) -> Response:
    detail = _REFUSALS[status]
    return JSONResponse({"type": "urn:x:y", "title": detail, "detail": detail}, status_code=status)


@dataclass
class RoomsServer:
    """Batches in every state, and pairs for whoever judges the running one."""

    result: ResultDocument = field(default_factory=lambda: make_result(6, grades="CBA"))
    texts: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    lists: list[Comparison] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    requested: list[dict[str, Any]] = field(default_factory=list)
    refuses_verdicts: int | None = None
    loses_answers: bool = False
    is_released: bool = False
    judging_deadline: str | None = None
    sign_in: SignIn | None = None
    tokens: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def comparisons(self) -> list[Comparison]:
        return [*make_comparisons(self.result), *self.lists]

    # --- what the rooms ask ---

    def batches(self, request: Request) -> Response:
        self.tokens.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        states = ((RUNNING, "WAITING_CALLBACKS"), (DONE, "COMPLETED"), (FAILED, "FAILED"))
        rows = [
            documents.summary(name, status=status) | {"assignment_id": f"Argumenting {name}"}
            for name, status in states
        ]
        return JSONResponse({"batches": rows, "cursor": None})

    async def request(self, request: Request) -> Response:
        self.requested.append(await request.json())
        made = {"batch_id": RUNNING, "status": "INITIALIZING", "correlation_id": "1", "links": {}}
        return JSONResponse(made, status_code=202)

    def progress(self, request: Request) -> Response:
        name = request.path_params["batch"]
        scored = documents.wave(1, status="SCORED", recorded=6, mean_se=1.4, standardised_se=0.45)
        shown = {
            RUNNING: documents.progress("WAITING_CALLBACKS", scored, documents.wave(2, recorded=2)),
            DONE: documents.progress("COMPLETED", scored, outcome="COMPLETE_STABLE"),
            FAILED: documents.make_failed_batch(),
        }[name]
        described = shown.model_dump(mode="json")
        if name == RUNNING and self.judging_deadline:
            described["config"]["judging_deadline"] = self.judging_deadline
            described["n_reminders"] = 1
        return JSONResponse(described)

    async def move_deadline(self, request: Request) -> Response:
        self.judging_deadline = (await request.json())["judging_deadline"]
        moved = {"batch_id": RUNNING, "judging_deadline": self.judging_deadline}
        return JSONResponse({**moved, "n_invitations_ending_before": 1})

    def results(self, _: Request) -> Response:
        return JSONResponse(self.result.model_dump(mode="json"))

    def attention(self, _: Request) -> Response:
        listed = report_result(self.result).model_dump(mode="json")["attention"]
        return JSONResponse({"essays": listed, "n_essays": len(listed)})

    def comparisons_page(self, request: Request) -> Response:
        start = int(request.query_params.get("cursor", 0))
        end = start + int(request.query_params["limit"])
        rows = [one.model_dump(mode="json") for one in self.comparisons[start:end]]
        cursor = str(end) if end < len(self.comparisons) else None
        return JSONResponse({"batch_id": DONE, "comparisons": rows, "cursor": cursor})

    def decided(self, _: Request) -> Response:
        grades = self.result.grade_projections.primary_grades
        latest = {each["essay_id"]: each for each in self.decisions}
        essays = [
            {
                "essay_id": essay_id,
                "proposed_grade": grade,
                "state": "decided" if essay_id in latest else "open",
                "grade": latest.get(essay_id, {}).get("grade"),
            }
            for essay_id, grade in grades.items()
        ]
        released = {"released_at": _MOMENT, "released_by": "teacher"}
        return JSONResponse(
            {
                "essays": essays,
                "n_essays": len(essays),
                "n_waiting": len(essays) - len(latest),
                "release": released if self.is_released else None,
                "grade_scale": self.result.grade_projections.grade_scale,
            }
        )

    def release(self, _: Request) -> Response:
        self.is_released = True
        return JSONResponse({"released_at": _MOMENT, "released_by": "teacher"})

    def essay(self, request: Request) -> Response:
        name = request.path_params["essay"]
        return JSONResponse({"essay_id": name, "text": self.texts.get(name, f"The text of {name}")})

    def decision(self, request: Request) -> Response:
        name = request.path_params["essay"]
        own = [each for each in self.decisions if each["essay_id"] == name]
        proposed = self.result.grade_projections.primary_grades.get(name)
        return JSONResponse(
            {
                "essay_id": name,
                "proposed_grade": proposed,
                "state": "decided" if own else "open",
                "grade": own[-1]["grade"] if own else None,
                "decisions": own,
            }
        )

    async def decide(self, request: Request) -> Response:
        body = await request.json()
        name = request.path_params["essay"]
        made = {"essay_id": name, "assessor": "teacher", "decided_at": _MOMENT, **body}
        self.decisions.append(made)
        return self.decision(request)

    def report(self, _: Request) -> Response:
        return Response(write_report(report_result(self.result)), media_type="text/html")

    # --- judging ---

    def offer(self, request: Request) -> Response:
        offer = self.make_offer(request)
        return _refuse(409) if offer is None else JSONResponse(offer)

    def make_offer(self, request: Request) -> dict[str, object] | None:
        """What is offered; None when everything is judged."""
        kept = set(filter(None, request.query_params.get("kept", "").split(",")))
        self.asked.append(request.url.query)
        judged = {each["comparison_id"] for each in self.verdicts}
        ids = [f"w001-{number:05d}" for number in range(len(self.pairs))]
        waiting = [one for one in ids if one not in judged]
        if not waiting:
            return None
        free = next((one for one in waiting if one not in kept), None)
        comparison = None
        if free is not None:
            first, second = self.pairs[ids.index(free)]
            comparison = {
                "comparison_id": free,
                "essay_a": first,
                "essay_b": second,
                "instructions": "Say which text argues better.",
                "student_prompt": "",
                "judge_rubric": "Reasons, examples, language.",
                "lease_until": _MOMENT,
            }
        return {
            "comparison": comparison,
            "n_judged": len(judged),
            "n_waiting": len(waiting),
            "quota": None,
            "judging_deadline": self.judging_deadline,
        }

    async def verdict(self, request: Request) -> Response:
        body = await request.json()
        if self.refuses_verdicts:
            return _refuse(self.refuses_verdicts)
        if body not in self.verdicts:
            self.verdicts.append(body)
        if self.loses_answers:
            self.loses_answers = False
            return _refuse(503)
        accepted: dict[str, object] = {"status": "accepted", "correlation_id": "1"}
        if request.query_params.get("offer") == "true":
            accepted["offer"] = self.make_offer(request)
        return JSONResponse(accepted, status_code=202)

    # --- assignments ---

    def assignments(self, _: Request) -> Response:
        one = {
            "assignment_id": "rooms", "grade_scale": "x", "grades": list("FEDCBA"),
            "has_instructions": True, "has_student_prompt": False, "has_judge_rubric": True,
        }  # fmt: skip
        return JSONResponse({"assignments": [one], "cursor": None})

    def assignment(self, _: Request) -> Response:
        return JSONResponse(
            {
                "assignment_id": "rooms",
                "grade_scale": {"name": "x", "grades": list("FEDCBA")},
                "population": None,
                "instructions": "Say which text argues better.",
                "student_prompt": "",
                "judge_rubric": "Reasons, examples, language.",
                "config": {},
                "n_anchors": 2,
            }
        )

    def anchors(self, _: Request) -> Response:
        listed = [{"anchor_ref": "ref00", "grade": "F"}, {"anchor_ref": "ref50", "grade": "A"}]
        return JSONResponse({"assignment_id": "rooms", "anchors": listed})

    def invitations(self, _: Request) -> Response:
        one = {
            "invitation_id": "1", "name": "Anna Berg", "state": "open", "quota": 30, "n_judged": 7,
            "expires_at": _MOMENT, "revoked_at": None,
            "consistency": {
                "judge": "person/invited:1", "n_repeated": 4, "n_repeated_agreed": 3,
                "n_shared": 3, "n_shared_agreed": 3,
            },
        }  # fmt: skip
        return JSONResponse({"batch_id": RUNNING, "invitations": [one]})

    async def invite(self, request: Request) -> Response:
        names = (await request.json())["names"]
        made = [
            {"invitation_id": f"{at}", "name": name, "quota": None, "expires_at": _MOMENT,
             "token": f"token{at}", "link": f"https://elsewhere.example/app/#invitation=token{at}"}
            for at, name in enumerate(names)
        ]  # fmt: skip
        return JSONResponse({"batch_id": RUNNING, "invitations": made}, status_code=201)

    # --- serving ---

    @property
    def routes(self) -> list[Route]:
        batch, essay = "/live/v1/batches/{batch}", "/live/v1/batches/{batch}/essays/{essay}"
        instructions = "/live/admin/v1/assessment-instructions"
        return [
            Route("/live/app/", lambda _: _send(make_page(self.sign_in))),
            Route("/live/app/{file}", lambda request: _send_file(request.path_params["file"])),
            Route("/live/v1/batches", self.batches, methods=["GET"]),
            Route("/live/v1/batches", self.request, methods=["POST"]),
            Route(batch, self.progress),
            Route(f"{batch}/results", self.results),
            Route(f"{batch}/attention", self.attention),
            Route(f"{batch}/comparisons", self.comparisons_page),
            Route(f"{batch}/decisions", self.decided),
            Route(f"{batch}/release", self.release, methods=["POST"]),
            Route(f"{batch}/report", self.report),
            Route(f"{batch}/next-comparison", self.offer),
            Route(f"{batch}/verdicts", self.verdict, methods=["POST"]),
            Route(f"{batch}/invitations", self.invitations, methods=["GET"]),
            Route(f"{batch}/invitations", self.invite, methods=["POST"]),
            Route(f"{batch}/judging-deadline", self.move_deadline, methods=["PUT"]),
            Route(essay, self.essay),
            Route(f"{essay}/decision", self.decision, methods=["GET"]),
            Route(f"{essay}/decision", self.decide, methods=["PUT"]),
            Route(instructions, self.assignments),
            Route(f"{instructions}/{{assignment}}", self.assignment),
            Route("/live/v1/anchors/{assignment}", self.anchors),
        ]


def _send_file(name: str) -> Response:
    found = find_page_file(name)
    return Response(status_code=404) if found is None else _send(found)


@contextmanager
def serving(rooms: RoomsServer) -> Iterator[RoomsServer]:
    """The rooms and their API on a free port of the loopback."""
    app = Starlette(routes=rooms.routes)
    config = uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    ready = threading.Event()
    thread.start()
    while not server.started:
        ready.wait(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    rooms.url = f"http://127.0.0.1:{port}/live"
    try:
        yield rooms
    finally:
        server.should_exit = True
        thread.join(timeout=10)
