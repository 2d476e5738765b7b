"""Where the engine gets the bytes of files from: Dispatch Pro and the hosts that settings allow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import rmtree

import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.client import DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.downloads import Downloads
from dispatch_to_pipedrive.dispatch_pro.errors import DispatchProError
from dispatch_to_pipedrive.dispatch_pro.errors import Unfetchable as Withheld
from dispatch_to_pipedrive.dispatch_pro.hosts import Hosts
from dispatch_to_pipedrive.migration.errors import SourceAway
from dispatch_to_pipedrive.migration.files import Fetch, Fetched, Unfetchable
from dispatch_to_pipedrive.orchestration.resources import credentials_of
from dispatch_to_pipedrive.pipedrive.streams import FALLBACK_MEDIA
from dispatch_to_pipedrive.settings import Settings

BROKEN_IN_A_ROW = 20
"""So many downloads must break one after the other before the source is blamed and not the files."""


@asynccontextmanager
async def fetching(settings: Settings, files: pd.DataFrame, home: Path) -> AsyncIterator[Fetch]:
    """What fetches the sources of a normalized frame of files (`source`, `size`); settings of the source are needed.

    home: the account's folder, below which the spool lies. It is emptied before: whoever holds the account's lease is
    alone with it.
    """
    spool = home / "spool"
    rmtree(spool, ignore_errors=True)
    known = files.dropna(subset=["size"])
    sizes = dict(zip(known["source"], known["size"].astype("int64"), strict=True))
    credentials = credentials_of(settings)
    async with (
        DispatchProClient(credentials, calls_per_second=settings.dispatch_pro_calls_per_second) as client,
        Downloads(
            client, Hosts(credentials.api_url, settings.hosts), spool, most=settings.file_limit
        ) as downloads,
    ):
        yield _Fetching(downloads, sizes).fetch


class _Fetching:
    def __init__(self, downloads: Downloads, sizes: dict[str, int]) -> None:
        self._downloads = downloads
        self._sizes = sizes
        self._broken = 0

    async def fetch(self, source: str) -> Fetched:
        try:
            file = await self._downloads.fetch(source, size=self._sizes.get(source))
        except Withheld as error:
            self._broken = self._broken + 1 if error.reason == "broken" else 0
            if self._broken >= BROKEN_IN_A_ROW:
                raise SourceAway(
                    f"{self._broken} downloads in a row broke, the last because {error.words}: run again when "
                    "Dispatch Pro gives files"
                ) from None
            raise Unfetchable(error.words) from None
        except DispatchProError as error:
            raise SourceAway(f"no files can be fetched: {error}") from None
        self._broken = 0
        return Fetched(file.path, file.size, file.sha256, file.media_type or FALLBACK_MEDIA)
