"""What records have in the tenant's own custom fields."""

from collections.abc import Sequence

import numpy as np

from ..draw import Draw
from ..table import Record
from ..times import Ints
from .catalog import Field


def custom_values(draw: Draw, rows: Ints, fields: Sequence[Field]) -> list[list[Record]]:
    """For each row the values it has: each field is filled on one row of five, and on the first two rows."""
    drawn: list[list[Record]] = [[] for _ in range(len(rows))]
    for type_id, name, kind, options in fields:
        given = draw.chance(f"has {type_id}", rows, 0.2) | (rows < 2)
        value = draw.below(f"value {type_id}", rows, 2500).tolist()
        for at in np.flatnonzero(given).tolist():
            number = value[at]
            if kind == "Dropdown" and options:
                text: str | None = options[number % len(options)]
            elif kind == "Numeric":
                text = str(number) if number % 7 else f"{number / 10:.1f}"
            else:
                text = f"#{number:04d}" if number % 11 else ("" if number % 2 else None)
            drawn[at].append({"typeId": type_id, "name": name, "value": text})
    return drawn
