"""What was a record told, and what did it answer, field by field?

The base of a field is the account's answer to our own last write of *that* field. What people have put into others
meanwhile shows in later echoes of ours and must not pass for our word: it would be overwritten with the next change.
"""

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

from dispatch_to_pipedrive.migration.values import Body

FOLLOWING = {
    "status": ("won_time", "lost_time", "close_time", "lost_reason"),
    "pipeline_id": ("stage_id",),
    "person_id": ("org_id",),
    "participants": ("org_id",),
    "deal_id": ("org_id",),
}
"""What Pipedrive itself sets or clears where another field is written: its answer there is an answer to us, too."""


class Past(NamedTuple):
    """Bodies in wire form: all that was told, the base of each field, and the last echo with its server date."""

    told: Body
    base: Body
    echo: Body
    server_date: str | None


def after_write(before: Past | None, body: Body, echo: Body, server_date: str | None) -> Past:
    """The past of a record after one more write; `before` is None for its creation."""
    if before is None:
        return Past(body, echo, echo, server_date)
    told = laid_over(before.told, _unsaid(before.told, body, echo))
    return Past(laid_over(told, body), laid_over(before.base, _answer(body, echo)), echo, server_date)


def after_relink(before: Past, echo: Body, server_date: str | None) -> Past:
    """The past of a record whose place another one has taken, which holds `echo` now.

    What stands there as we had written it is ours still, what differs is people's. Where the new one holds nothing, we
    count as having said nothing: it is filled with what the source says.
    """
    empty = {name for name, value in _flat(echo).items() if value in (None, "", [])}
    unsaid = {
        name for name in _flat(before.told).keys() | _flat(before.base).keys() if name not in _flat(echo)
    }
    return Past(
        _without(before.told, empty | unsaid), _without(before.base, empty | unsaid), echo, server_date
    )


def _flat(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, **(body.get("custom_fields") or {})}


def _without(body: Body, names: Set[str]) -> Body:
    custom = {code: value for code, value in (body.get("custom_fields") or {}).items() if code not in names}
    rest = {name: value for name, value in body.items() if name not in names and name != "custom_fields"}
    return {**rest, "custom_fields": custom} if custom else rest


def laid_over(before: Body, changes: Body) -> Body:
    """A body after a partial update: top-level keys and custom fields replaced one by one."""
    after = {**before, **changes}
    custom = {**(before.get("custom_fields") or {}), **(changes.get("custom_fields") or {})}
    if custom:
        after["custom_fields"] = custom
    return after


def _unsaid(told: Body, body: Body, echo: Mapping[str, Any]) -> Body:
    """What was told once and Pipedrive has set aside with this write: a deal opened again has no lost reason.

    It counts as never told, so that it is sent again when it is wanted again.
    """
    following = {follower for name in body for follower in FOLLOWING.get(name, ())} - body.keys()
    return {name: None for name in following if told.get(name) not in (None, echo.get(name))}


def _answer(body: Body, echo: Mapping[str, Any]) -> Body:
    """The part of an echo that answers a body; None where the echo leaves a told field out."""
    names = [name for name in body if name != "custom_fields"]
    names += [follower for name in names for follower in FOLLOWING.get(name, ())]
    answer = {name: echo.get(name) for name in names}
    if custom := body.get("custom_fields"):
        echoed = echo.get("custom_fields") or {}
        answer["custom_fields"] = {code: echoed.get(code) for code in custom}
    return answer
