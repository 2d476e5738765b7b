"""How do tests look into the account and shake it? The endpoints under /_control/: no token, no limits, JSON.

| command | GET | POST |
| --- | --- | --- |
| `account` | token (of all users: `tokens`), company, counts | – |
| `dump` | the whole state; `?settle=0` leaves undone what habits mean to do, `?contents=1` adds files' bytes | – |
| `files` | every file: name, size, sha256 and what it hangs on | – |
| `load` | – | a dump |
| `faults` | rules with how often they struck | a rule, a list, `{"rules": […]}`; `"clear": true` first drops the old |
| `habits`, `capabilities` | all switches | those to change |
| `plan` | figures in force | plan, seats, overrides (null takes one back), spent, limits, latency_ms, block_* |
| `stats`, `stats/reset` | counters | (reset) from zero |
| `clock` | time and speed | set, advance, speed |
| `record` | file and count of exchanges | `{"path": FILE}` appends every exchange as a JSON line, `{"stop": true}` |
| `edit` | – | one edit or a list, by other people, behind the API: see `behind.edit` |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from . import behind, dump, files, plans, switches
from .errors import Refused
from .faults import read_rule

if TYPE_CHECKING:
    from .app import Server


class ControlError(ValueError):
    """A command that means nothing."""


def _dump(server: Server, body: Any, query: dict[str, str]) -> Any:
    settle, contents = query.get("settle") != "0", query.get("contents") == "1"
    return dump.dump(server.account, settle=settle, contents=contents) | {"limits": server.limits.state()}


def _load(server: Server, body: Any, query: dict[str, str]) -> Any:
    dump.load(server.account, body)
    if "limits" in body:
        server.limits.load(body["limits"])
    return {"loaded": {entity: len(store) for entity, store in server.account.stores.items()}}


def _faults(server: Server, body: Any, query: dict[str, str]) -> Any:
    faults = server.faults
    if isinstance(body, dict) and body.get("clear"):
        faults.rules.clear()
        body = body.get("rules", [])
    if body is not None:
        given = body.get("rules", [body]) if isinstance(body, dict) else body
        if not isinstance(given, list):
            raise ControlError("expected a rule, a list of rules, {'rules': […]} or {'clear': true}")
        faults.rules += [read_rule(one) for one in given]
    server.account.list_lag = faults.lag
    if not faults.lag:
        for store in server.account.stores.values():
            store.recent.clear()
    return {"rules": [rule.state() for rule in faults.rules]}


def _habits(server: Server, body: Any, query: dict[str, str]) -> Any:
    if body is not None:
        switches.turn(switches.HABITS, server.account.habits, body)
    return server.account.habits


def _capabilities(server: Server, body: Any, query: dict[str, str]) -> Any:
    if body is not None:
        switches.turn(switches.CAPABILITIES, server.account.capabilities, body)
    return server.account.capabilities


_PLAN = {
    "plan",
    "seats",
    "custom_fields",
    "open_deals",
    "daily_tokens",
    "burst",
    "spent",
    "limits",
    "latency_ms",
}
_BLOCK = {"block_after", "block_within", "cool_off"}


def _plan(server: Server, body: Any, query: dict[str, str]) -> Any:
    account, limits = server.account, server.limits
    if body is not None:
        if not isinstance(body, dict) or not set(body) <= _PLAN | _BLOCK:
            raise ControlError(f"expected an object with keys of {', '.join(sorted(_PLAN | _BLOCK))}")
        if "plan" in body:
            if body["plan"] not in plans.PLANS:
                raise ControlError(f"plan must be one of {', '.join(plans.PLANS)}")
            account.plan = plans.PLANS[body["plan"]]
        account.seats = body.get("seats", account.seats)
        limits.enforced = body.get("limits", limits.enforced)
        limits.spent = body.get("spent", limits.spent)
        server.latency = body.get("latency_ms", server.latency * 1000) / 1000
        for name in _BLOCK & set(body):
            setattr(limits, name, body[name])
        for names, target in (
            (("custom_fields", "open_deals"), account.caps),
            (("daily_tokens", "burst"), limits.overrides),
        ):
            for name in names:
                if name in body:
                    target.pop(name, None)
                    if body[name] is not None:
                        target[name] = body[name]
    return {
        "plan": account.plan.name,
        "seats": account.seats,
        "custom_fields": account.cap("custom_fields"),
        "open_deals": account.cap("open_deals"),
        "daily_tokens": limits.daily,
        "burst": limits.burst,
        "spent": limits.spent,
        "limits": limits.enforced,
        "latency_ms": server.latency * 1000,
    }


def _stats(server: Server, body: Any, query: dict[str, str]) -> Any:
    limits = server.limits
    high = {"burst_high_water": limits.window.high_water, "search_high_water": limits.search.high_water}
    return server.stats.state() | high | {"spent_today": limits.spent, "daily_tokens": limits.daily}


def _reset_stats(server: Server, body: Any, query: dict[str, str]) -> Any:
    server.stats.reset()
    server.limits.window.high_water = server.limits.search.high_water = 0
    return _stats(server, None, {})


def _clock(server: Server, body: Any, query: dict[str, str]) -> Any:
    return server.clock.state() if body is None else server.clock.command(body)


def _edit(server: Server, body: Any, query: dict[str, str]) -> Any:
    if isinstance(body, list):
        return [behind.edit(server.account, one) for one in body]
    return behind.edit(server.account, body)


def _record(server: Server, body: Any, query: dict[str, str]) -> Any:
    recorder = server.recorder
    if body is not None:
        if not isinstance(body, dict) or not ("path" in body or body.get("stop")):
            raise ControlError('expected {"path": FILE} or {"stop": true}')
        if body.get("stop"):
            recorder.stop()
        else:
            recorder.start(str(body["path"]))
    return {"path": recorder.path and str(recorder.path), "count": recorder.count}


def _account(server: Server, body: Any, query: dict[str, str]) -> Any:
    account = server.account
    return {
        "api_token": account.api_token,
        "tokens": {id_: account.token_of(id_) for id_ in account.users},
        "company_id": account.company_id,
        "company_domain": account.company_domain,
        "counts": {entity: len(store) for entity, store in account.stores.items()},
        "open_deals": account.open_deals,
        "custom_fields": account.custom_field_count(),
    }


def _files(server: Server, body: Any, query: dict[str, str]) -> Any:
    return files.received(server.account)


COMMANDS: dict[str, Callable[[Server, Any, dict[str, str]], Any]] = {
    "account": _account,
    "dump": _dump,
    "load": _load,
    "faults": _faults,
    "files": _files,
    "habits": _habits,
    "capabilities": _capabilities,
    "plan": _plan,
    "stats": _stats,
    "stats/reset": _reset_stats,
    "clock": _clock,
    "record": _record,
    "edit": _edit,
}


def answer(server: Server, path: str, method: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Carry out one command."""
    command = COMMANDS.get(path)
    if command is None:
        return 404, orjson.dumps({"error": f"no such command; there are: {', '.join(sorted(COMMANDS))}"})
    try:
        given = orjson.loads(body) if method != "GET" and body else None
        return 200, orjson.dumps(command(server, given, query), option=orjson.OPT_NON_STR_KEYS)
    except Refused as refused:
        return 400, orjson.dumps({"error": refused.body["error"]})
    except (KeyError, TypeError, ValueError, OSError) as error:
        return 400, orjson.dumps({"error": f"{type(error).__name__}: {error}"})
