"""`map check`, `map show`, `map schema`: the maps looked at, without and with the account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispatch_to_pipedrive.commands.endings import (
    ERR,
    OUT,
    loud_warnings,
    plain_end,
    refuse,
    settings_of_process,
)

if TYPE_CHECKING:
    import pandas as pd

    from dispatch_to_pipedrive.mapping import Maps

maps = typer.Typer(
    help="Look at the maps: what they say, and whether they can be used.", no_args_is_help=True
)

Folder = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="Folder of the maps, else MAPPINGS_DIR.")
]


@maps.command()
def check(
    folder: Folder = None,
    live: Annotated[
        bool, typer.Option("--live", help="Compare them with the account and with the source as last read.")
    ] = False,
) -> None:
    """Tell every mistake in the maps at once; ends with 2 if there is one."""
    with plain_end(), loud_warnings():
        directory = _directory(folder)
        found = _loaded(directory)
        if live:
            _compare(directory)
        fields = sum(len(entity_map.fields) for entity_map in found.values())
        OUT.print(
            f"{directory}: {len(found)} maps with {fields} fields, no mistake",
            highlight=False,
            soft_wrap=True,
        )


@maps.command()
def show(
    folder: Folder = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")] = False,
) -> None:
    """What becomes of each kind of thing in Dispatch Pro: kind, transforms, lookups, what the account must have."""
    with plain_end():
        from dispatch_to_pipedrive.mapping.objects import compatibility, object_table

        found = _loaded(_directory(folder))
        table = object_table(found)
        if markdown:
            from dispatch_to_pipedrive.mapping.documents import markdown as as_markdown

            typer.echo(as_markdown(table), nl=False)
            return
        _print(table)
        told = compatibility(found)
        OUT.print(
            f"{told.one_to_one} of {told.objects} objects map one to one; {told.moved} of {told.objects} move",
            highlight=False,
        )


@maps.command()
def schema() -> None:
    """The maps' language as a JSON Schema, for editors (mappings/schema.json)."""
    from dispatch_to_pipedrive.mapping.editor import text

    typer.echo(text(), nl=False)


def _directory(folder: Path | None) -> Path:
    return settings_of_process().maps if folder is None else folder.expanduser()


def _loaded(directory: Path) -> Maps:
    """The maps, as every run reads them."""
    from dispatch_to_pipedrive.mapping import MapError
    from dispatch_to_pipedrive.orchestration.road import checked_maps

    try:
        return checked_maps(directory)
    except MapError as wrong:
        refuse(str(wrong))


def _compare(directory: Path) -> None:
    """End with every place where the maps do not fit the account or the tenant."""
    settings = settings_of_process()
    settings.require_destination()
    from dispatch_to_pipedrive.mapping import MapError
    from dispatch_to_pipedrive.orchestration.catalogue import check_live

    found = check_live(settings, directory)
    if not found.source_read:
        words = "the source has not been read yet: custom fields and their values were not compared"
        ERR.print(f"{words} (run the job `advance_source`)", style="yellow", highlight=False)
    if found.mistakes:
        refuse(str(MapError(found.mistakes)))
    OUT.print(f"they fit the account of {found.company}", highlight=False, markup=False)


def _print(table: pd.DataFrame) -> None:
    from rich.table import Table

    shown = Table(show_lines=True)
    for name in table:
        shown.add_column(str(name), overflow="fold")
    for row in table.itertuples(index=False, name=None):
        shown.add_row(*(str(cell).replace(", ", ",\n").replace("; ", "\n") for cell in row))
    OUT.print(shown, markup=False)
