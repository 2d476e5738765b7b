"""Runs the sandbox in the foreground: both servers in one process, until SIGINT or SIGTERM.

`python -m dispatch_to_pipedrive.sandbox --help`. Prints the settings a migration needs as KEY=VALUE, then READY.
"""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
import uvicorn
from starlette.applications import Starlette

from .clock import DEFAULT_NOW, Clock, ClockError, parse_moment
from .dispatch_pro.app import EXPORT_LAG
from .dispatch_pro.app import build_app as build_dispatch_pro
from .dispatch_pro.export import EXPORT_PAGE
from .dispatch_pro.generator.attachments import Plenty
from .pipedrive.app import UVICORN_OPTIONS
from .pipedrive.app import build_app as build_pipedrive

HOST = "127.0.0.1"


class Plan(StrEnum):
    """The plans of a Pipedrive account."""

    lite = "lite"
    growth = "growth"
    premium = "premium"
    ultimate = "ultimate"


@dataclass(frozen=True)
class Options:
    """What the command line said, checked."""

    customers: int
    seed: int
    plan: str
    seats: int
    limits: bool
    latency_ms: float
    now: datetime
    clock: datetime
    export_lag: float
    export_page: int
    extra_fields: bool
    plenty: Plenty | None
    dump: dict[str, Any] | None


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(
    dispatch_port: Annotated[
        int, typer.Option(help="Port of the Dispatch Pro server; 0 picks a free one.")
    ] = 0,
    pipedrive_port: Annotated[
        int, typer.Option(help="Port of the Pipedrive server; 0 picks a free one.")
    ] = 0,
    customers: Annotated[int, typer.Option(min=1, help="Customers of the tenant.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed and --now give the same bytes.")] = 1,
    plan: Annotated[Plan, typer.Option(help="Plan of the Pipedrive account.")] = Plan.premium,
    seats: Annotated[int, typer.Option(min=1, help="Seats of the Pipedrive account.")] = 2,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="No rate limits and budgets.")] = False,
    latency_ms: Annotated[float, typer.Option(min=0, help="Milliseconds each call takes longer.")] = 0,
    now: Annotated[str | None, typer.Option(help="ISO time at which the clock and the tenant start.")] = None,
    export_lag: Annotated[
        float, typer.Option(min=0, help="Seconds after which a feed shows a change.")
    ] = EXPORT_LAG,
    export_page: Annotated[int, typer.Option(min=1, help="Records on a page of a feed.")] = EXPORT_PAGE,
    extra_fields: Annotated[
        bool, typer.Option("--extra-fields", help="40 more custom fields, of every data type.")
    ] = False,
    attachments: Annotated[
        int | None, typer.Option(min=0, help="So many attachments instead of those of chance; 0 for none.")
    ] = None,
    attachment_bytes: Annotated[
        int, typer.Option(min=0, help="Bytes of each attachment, with --attachments.")
    ] = 25_000_000,
    load: Annotated[Path | None, typer.Option(help="A dump of the Pipedrive account to start from.")] = None,
) -> None:
    """Run a Dispatch Pro tenant and a Pipedrive account on this machine."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _end)
    dump, start = _dump(load), _moment(now)
    options = Options(
        customers=customers,
        seed=seed,
        plan=plan.value,
        seats=seats,
        limits=not no_limits,
        latency_ms=latency_ms,
        now=start,
        clock=_dumped_at(dump, start) if now is None else start,
        export_lag=export_lag,
        export_page=export_page,
        extra_fields=extra_fields,
        plenty=None if attachments is None else Plenty(attachments, attachment_bytes),
        dump=dump,
    )
    with (
        _listen("--dispatch-port", dispatch_port) as dispatch,
        _listen("--pipedrive-port", pipedrive_port) as pipedrive,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(_serve(options, dispatch, pipedrive))


async def _serve(options: Options, dispatch: socket.socket, pipedrive: socket.socket) -> None:
    clock = Clock(options.clock)
    source_url, account_url = (f"http://{HOST}:{at.getsockname()[1]}" for at in (dispatch, pipedrive))
    source, tenant = build_dispatch_pro(
        clock,
        customers=options.customers,
        seed=options.seed,
        now=options.now,
        export_lag=options.export_lag,
        limits=options.limits,
        latency_ms=options.latency_ms,
        export_page_size=options.export_page,
        origin=source_url,
        extra_fields=options.extra_fields,
        plenty=options.plenty,
    )
    try:
        account = build_pipedrive(
            clock,
            seed=options.seed,
            people=tenant.people(),
            plan=options.plan,
            seats=options.seats,
            limits=options.limits,
            latency_ms=options.latency_ms,
            load_dump=options.dump,
        )
    except (KeyError, TypeError, ValueError) as error:
        if options.dump is None:
            raise
        _refuse(f"--load: not a dump of a Pipedrive account: {error!r}")
    gc.freeze()
    servers = [_server(source), _server(account)]
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, _stop, servers)
    running = [
        asyncio.create_task(server.serve(sockets=[at]))
        for server, at in zip(servers, (dispatch, pipedrive), strict=True)
    ]
    await asyncio.gather(*(server.listening.wait() for server in servers))
    settings = {
        "DISPATCH_PRO_AUTH_URL": source_url,
        "DISPATCH_PRO_API_URL": source_url,
        "DISPATCH_PRO_TENANT_ID": tenant.credentials.tenant_id,
        "DISPATCH_PRO_CLIENT_ID": tenant.credentials.client_id,
        "DISPATCH_PRO_CLIENT_SECRET": tenant.credentials.client_secret,
        "DISPATCH_PRO_APP_KEY": tenant.credentials.app_key,
        "PIPEDRIVE_API_URL": account_url,
        "PIPEDRIVE_API_TOKEN": account.state.account.api_token,
    }
    lines = [f"{key}={value}" for key, value in settings.items()]
    print("\n".join([*lines, "READY"]), flush=True)
    await asyncio.gather(*running)


def _server(app: Starlette) -> _Server:
    # Idle connections stay open longer than a client waits for the next second or for a batch.
    config: dict[str, Any] = {
        "lifespan": "off",
        "log_level": "warning",
        "ws": "none",
        "timeout_keep_alive": 75,
    }
    return _Server(uvicorn.Config(app, **{**UVICORN_OPTIONS, **config}))


def _end(*_: object) -> NoReturn:
    """A signal before the servers listen."""
    raise SystemExit(0)


def _stop(servers: list[_Server]) -> None:
    """End at once: calls under way are cut off."""
    for server in servers:
        server.should_exit = True
        server.force_exit = True


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@contextlib.contextmanager
def _listen(option: str, port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(2048)
        except (OSError, OverflowError) as error:
            _refuse(f"{option}: cannot listen on {HOST}:{port}: {getattr(error, 'strerror', None) or error}")
        yield listener


def _moment(text: str | None) -> datetime:
    try:
        return DEFAULT_NOW if text is None else parse_moment(text)
    except ClockError as error:
        _refuse(f"--now: {error}")


def _dump(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        _refuse(f"--load: cannot read {path}: {getattr(error, 'strerror', None) or error}")
    if not isinstance(found, dict):
        _refuse(f"--load: {path} is not a dump of a Pipedrive account")
    return found


def _dumped_at(dump: dict[str, Any] | None, start: datetime) -> datetime:
    """Without --now the clock of a loaded account goes on from where its dump was made."""
    try:
        return start if dump is None else max(start, parse_moment(str(dump.get("now", ""))))
    except ClockError:
        return start


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
