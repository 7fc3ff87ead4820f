"""The addresses of the server, and what each answers. Nothing here writes."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rewards.bounded_file import read_bytes
from rewards.program import words
from sweeper.dashboard.curves import USUAL, Curves
from sweeper.dashboard.guard import HOSTS, REPORT_POLICY, Guard, report_key
from sweeper.dashboard.one_run import Specs, details, log_end, run_dir_of
from sweeper.dashboard.overview import Overview
from sweeper.dashboard.sample_list import listed
from sweeper.dashboard.words import told
from sweeper.host import vega
from sweeper.host.errors import ResultsError, SweeperError

_SCRIPTS = ("page.js", "grid.js", "curves.js", "run.js", "compare.js")
_OWN = {"page.css": "text/css"} | dict.fromkeys(_SCRIPTS, "text/javascript")
_REPORT_TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json"}
_REPORT_BYTES = 64 << 20
_KEEP = {"Cache-Control": "private, max-age=31536000, immutable"}  # its address names its version
_DIGITS = 9  # of the number of an attempt
MOST_RUNS = 1000  # that are compared


class _Pages:
    """The pages of one results folder."""

    def __init__(self, results_dir: Path, grid: str | None, token: str) -> None:
        self._results_dir, self._grid, self._token = results_dir, grid, token
        self._overview, self._curves = Overview(results_dir), Curves(results_dir)
        self._specs = Specs(results_dir)

    def routes(self) -> list[Route]:
        """Every address."""
        pages: dict[str, Callable[[Request], Response]] = {
            "/": self._page("grid.html.j2", grid=self._grid),
            "/compare": self._page("compare.html.j2"),
            "/run/{run:path}": self._page("run.html.j2"),
            "/samples/{run:path}": self._samples,
            "/reports": self._reports,
            "/report/{key}/{name:path}": self._report,
            "/own/{name}": self._own_file,
            f"/vega-{vega.VERSION}.js": self._vega,
            "/data/runs": self._data(lambda _: self._overview.read()),
            "/data/run": self._data(self._run),
            "/data/log": self._data(self._log),
            "/data/curves": self._data(self._curve),
            "/data/metrics": self._data(self._metrics),
            "/data/differences": self._data(self._differences),
        }
        return [Route(path, answer, methods=["GET"]) for path, answer in pages.items()]

    def _page(self, name: str, **values: Any) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            run = told(str(request.path_params.get("run", "")))
            return HTMLResponse(_templates().get_template(name).render(run=run, vega=vega.VERSION, **values))

        return page

    def _samples(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        if self._overview.run(run_id) is None:
            return _message(self._overview.read()["problem"] or f"There is no run {run_id}.", 404)
        values = listed(run_dir_of(self._results_dir, run_id), request.query_params)
        return HTMLResponse(_templates().get_template("samples.html.j2").render(run=told(run_id), **values))

    def _data(self, read: Callable[[Request], Any]) -> Callable[[Request], Response]:
        def data(request: Request) -> Response:
            try:
                return JSONResponse(read(request))
            except (SweeperError, OSError) as error:
                return JSONResponse({"problem": told(words(error))}, 404)
            except Exception as error:
                return JSONResponse({"problem": told(words(error))}, 500)

        return data

    def _run(self, request: Request) -> Any:
        run_id = request.query_params.get("run", "")
        status = self._overview.run(run_id)
        if status is None:
            raise ResultsError(self._overview.read()["problem"] or f"there is no run {run_id!r} in {self._results_dir}")
        return details(run_dir_of(self._results_dir, run_id), status)

    def _log(self, request: Request) -> Any:
        number = request.query_params.get("attempt", "")
        run_dir = run_dir_of(self._results_dir, request.query_params.get("run", ""))
        if len(number) > _DIGITS:
            raise ResultsError("there is no such attempt")
        return log_end(run_dir, int(number) if number.isdecimal() and number.isascii() else None)

    def _curve(self, request: Request) -> Any:
        return self._curves.read(self._chosen(request), request.query_params.get("metric", "reward"))

    def _metrics(self, request: Request) -> Any:
        names = dict.fromkeys(name for run_id in self._chosen(request)[:8] for name in self._curves.names(run_id))
        return [[name, told(USUAL.get(name, name))] for name in names]

    def _differences(self, request: Request) -> Any:
        return self._specs.what_differs(self._chosen(request))

    def _chosen(self, request: Request) -> list[str]:
        """The runs that a request names, without any all; none that is not there."""
        known = [item["id"] for item in self._overview.lately()["runs"]]
        asked = set(request.query_params.getlist("run"))
        return [run_id for run_id in known if not asked or run_id in asked][:MOST_RUNS]

    def _reports(self, _: Request) -> Response:
        folder = self._results_dir / "reports"
        names = sorted(path.name for path in folder.glob("*.html")) if folder.is_dir() else []
        listed = [(name, told(name.removesuffix(".html"))) for name in names]
        page = _templates().get_template("reports.html.j2")
        return HTMLResponse(page.render(reports=listed, key=report_key(self._token), folder=told(str(folder))))

    def _report(self, request: Request) -> Response:
        parts = Path(request.path_params["name"]).parts
        kind = _REPORT_TYPES.get(Path(*parts).suffix)
        if kind is None or len(parts) > 2 or any(part in ("..", "/") or "\0" in part for part in parts):
            return _message("There is no such report.", 404)
        try:
            content = read_bytes(self._results_dir.joinpath("reports", *parts), _REPORT_BYTES)
        except OSError as error:
            return _message(words(error), 404)
        return Response(content, media_type=kind, headers={"Content-Security-Policy": REPORT_POLICY})

    def _own_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _OWN:
            return _message("There is no such page.", 404)
        return Response(files("sweeper.dashboard").joinpath("static", name).read_bytes(), media_type=_OWN[name])

    def _vega(self, _: Request) -> Response:
        return Response(vega.javascript(), media_type="text/javascript", headers=_KEEP)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("sweeper.dashboard"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _message(text: str, status: int) -> Response:
    return HTMLResponse(_templates().get_template("message.html.j2").render(text=told(text)), status)


def application(results_dir: Path, *, token: str, grid: str | None = None) -> Starlette:
    """The server's program.

    Args:
        results_dir: What it shows, absolute.
        token: What whoever asks must have.
        grid: The grid that is shown at first; None: all runs.
    """
    guards = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
        Middleware(Guard, token=token),
        Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=1),  # `ssh -L` may be slow
    ]
    return Starlette(
        routes=_Pages(results_dir, grid, token).routes(),
        middleware=guards,
        exception_handlers={404: lambda _, __: _message("There is no such page.", 404)},
    )
