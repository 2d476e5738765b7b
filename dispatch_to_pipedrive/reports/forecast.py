"""How a forecast looks in a terminal: the arithmetic line by line, the limits, the plans that would do.

Takes what the forecast says of itself as plain values; the assessment's page shows the same.
"""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Values = Mapping[str, Any]


def arithmetic(forecast: Values) -> list[tuple[str, str, str, str]]:
    """Each line as it is shown: what, how often, at which price, what it comes to."""
    return [
        (line["what"], f"{line['count']:,}", f"{line['price']:,}", f"{line['tokens']:,}")
        for line in forecast["lines"]
        if line["count"]
    ]


def conclusion(forecast: Values) -> list[str]:
    """What the arithmetic comes to, in sentences."""
    account, day = forecast["account"], forecast["tokens_per_day"]
    seats = f"{account['seats']} seat" + ("s" if account["seats"] > 1 else "")
    lines = [
        f"{forecast['volume']['records']:,} records, {forecast['tokens']:,} tokens, {forecast['requests']:,} requests "
        f"in {forecast['batches']:,} batches"
    ]
    if day:
        reserve = account["reserve"]
        kept = f"{reserve:.0%}" if reserve < 1 else f"{reserve:,.0f} tokens"
        lines.append(
            f"{account['plan']} with {seats} gives {day:,} tokens a day ({kept} are left to other apps): "
            f"{forecast['tokens']:,} ÷ {day:,} = {forecast['tokens'] / day:,.2f} days"
        )
    if rate := forecast["requests_per_second"]:
        lines.append(
            f"at the plan's burst of {rate:g} requests a second: {forecast['requests']:,} ÷ {rate:g} = "
            f"{duration(forecast['seconds'])}"
        )
    volume, sweep, download = forecast["volume"], forecast["sweep"], forecast["download"]
    if volume["parents"]:
        lines.append(
            f"every job, customer and site is asked once for its files or notes: {volume['parents']:,} calls ÷ "
            f"{sweep['calls_a_second']} a second = {duration(sweep['seconds'])}"
        )
    if volume["file_bytes"]:
        lines.append(
            f"files of {size(volume['file_bytes'])} down and up again, at {size(download['bytes_a_second'])} a second "
            f"(assumed): {duration(download['seconds'])}"
        )
    return lines


def offers(forecast: Values) -> list[tuple[str, str, str, str]]:
    """A line a plan: name, fewest seats that fit, days, or why none do."""
    return [
        (
            offer["plan"],
            "–" if offer["seats"] is None else f"{offer['seats']:,}",
            "–" if offer["days"] is None else f"{offer['days']:,.2f}",
            offer["words"],
        )
        for offer in forecast["offers"]
    ]


def answer(forecast: Values) -> str:
    """Feasible or not, and what would do."""
    words = "feasible" if forecast["feasible"] else "not feasible: " + "; ".join(forecast["obstacles"])
    if short := forecast["short_a_day"]:
        words += f"; {short:,} tokens a day are missing (seats, a larger plan, or a token top-up)"
    best = forecast["smallest"]
    if best is None:
        return words + "; no plan that is sold fits"
    seats = "seat" if best["seats"] == 1 else "seats"
    return f"{words}; the smallest that fits is {best['plan']} with {best['seats']:,} {seats}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3_600:,.1f} hours"


def size(count: float) -> str:
    """Bytes as people say them: 1 MB is 1,000,000 bytes."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1_000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:,.1f} TB"


def forecast_table(forecast: Values) -> RenderableType:
    """The whole forecast."""
    table = Table(title="Tokens", title_justify="left")
    table.add_column("what")
    for name in ("times", "tokens each", "tokens"):
        table.add_column(name, justify="right")
    for row in arithmetic(forecast):
        table.add_row(*row)
    table.add_section()
    table.add_row("together", "", "", f"{forecast['tokens']:,}", style="bold")
    caps = Table(title="Limits of the plan", title_justify="left")
    for name in ("limit", "needed", "allowed", ""):
        caps.add_column(name, justify="left" if name in ("limit", "") else "right")
    for cap in forecast["caps"]:
        allowed = "no limit" if cap["allowed"] is None else f"{cap['allowed']:,}"
        caps.add_row(cap["name"], f"{cap['needed']:,}", allowed, "fits" if cap["fits"] else "does not fit")
    plans = Table(title="Fewest seats that fit, by plan", title_justify="left")
    for name in ("plan", "seats", "days", "why"):
        plans.add_column(name, justify="right" if name in ("seats", "days") else "left")
    for row in offers(forecast):
        plans.add_row(*row)
    return Group(table, Text("\n".join(conclusion(forecast))), caps, plans)


def comparison(compared: Values) -> str:
    """A forecast against what was spent, in one line."""
    kinds = ", ".join(
        f"{kind} {x['spent']:,} of {x['forecast']:,}" for kind, x in compared["by_kind"].items()
    )
    error = compared["error_percent"]
    off = "" if error is None else f", off by {error:g} %"
    return f"forecast: {compared['tokens']:,} tokens, spent {compared['spent']:,}{off} ({kinds})"
