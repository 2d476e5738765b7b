"""How many totals differ when normalize and mapping are those of another copy of the package?

Run as a program: the first argument is a pickle of (frames, reference, expected totals), the others are folders that
each hold a copy of the package. Prints a line of JSON for each: the folder, and the measures that differ.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import pandas as pd


def measures_that_differ(
    folder: Path, world: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]
):  # type: ignore[no-untyped-def]
    for name in [name for name in sys.modules if name.split(".")[0] == "dispatch_to_pipedrive"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        normalize = import_module("dispatch_to_pipedrive.normalize")
        mapping = import_module("dispatch_to_pipedrive.mapping")
        totals = import_module("dispatch_to_pipedrive.migration.mapped_totals")
    finally:
        sys.path.pop(0)
    assert Path(normalize.__file__).is_relative_to(folder), normalize.__file__
    frames, reference, expected = world
    made = normalize.normalize(frames, reference, normalize.NormalizeOptions())
    logical = mapping.render(mapping.load_maps(folder / "mappings"), made, mapping.RenderOptions("USD"))
    differences = totals.compare_totals(expected, totals.totals_of_mapped(logical))
    return sorted({f"{row.entity} {row.measure}" for row in differences.itertuples()})


if __name__ == "__main__":
    world = pd.read_pickle(sys.argv[1])
    for folder in sys.argv[2:]:
        print(
            json.dumps({"folder": folder, "measures": measures_that_differ(Path(folder), world)}), flush=True
        )
