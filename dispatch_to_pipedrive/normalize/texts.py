"""What becomes of the texts of records: safe HTML, the files found in it, and parts that fit one note."""

import re

import pandas as pd

from dispatch_to_pipedrive.normalize.html import cleared, safe_html
from dispatch_to_pipedrive.normalize.html_writer import FILE, REMOVED
from dispatch_to_pipedrive.normalize.lists import listed, texts
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.split import parts

_LINK = f'<a href="{FILE}'
_FILES = re.compile(rf'<a href="{FILE}([^"]+)">(.*?)</a>', re.DOTALL)


def hosted(records: pd.DataFrame, hosts: SourceHosts) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Records with their HTML, and the files found in it.

    `records` have `record` ("job_note:530000001"), distinct, and `text`. They get `html`, missing where nothing of the
    text can be seen. The files: record, source_key, name, source; each once a record, in the order of the text.
    """
    made = {text: safe_html(text, hosts) for text in records["text"].dropna().unique()}
    html = records["text"].map({text: safe.html for text, safe in made.items()}).astype("string")
    html = html.where(html != "")
    linking = html.str.contains(_LINK, regex=False).fillna(False).astype(bool)
    whole = [
        text.replace(_LINK, f"{_LINK}{record}/")
        for text, record in zip(html[linking], records["record"][linking], strict=True)
    ]
    html = html.mask(linking, pd.Series(whole, index=html.index[linking], dtype="string"))
    showing = records[records["text"].isin([text for text, safe in made.items() if safe.images])]
    found = [
        (record, f"{record}/{image.role}", image.name, image.source)
        for record, text in zip(showing["record"], showing["text"], strict=True)
        for image in made[text].images
    ]
    columns = ["record", "source_key", "name", "source"]
    return records.assign(html=html), pd.DataFrame(found, columns=columns, dtype="string")


def split(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with their `html` in parts that fit one note: `content`, `part` from 1, and the `file_keys` of each part."""
    cut = rows["html"].map({html: parts(html) for html in rows["html"].dropna().unique()})
    made = rows.assign(content=cut).explode("content").drop(columns="html")
    part = made.groupby(level=0, sort=False).cumcount() + 1
    made = made.assign(content=made["content"].astype("string"), part=part).reset_index(drop=True)
    linking = made.loc[made["content"].str.contains(_LINK, regex=False).fillna(False).astype(bool), "content"]
    keys = linking.map(lambda text: list(dict.fromkeys(key for key, _ in _FILES.findall(text)))).explode()
    numbers = pd.Series(made.index, index=made.index)
    return made.assign(file_keys=listed(numbers, pd.Series(keys.index), texts(keys)))


def without_links(html: pd.Series) -> pd.Series:
    """HTML in which files are named only, for what has no files of its own."""
    return html.str.replace(_FILES, rf"\2 {REMOVED}", regex=True)


def leading(values: pd.Series, hosts: SourceHosts) -> pd.Series:
    """Which texts may have links, images or addresses of Dispatch Pro: only those need to be read."""
    pattern = rf"<img|<a\s|data:|%[0-9a-f][0-9a-f]|{hosts.mention}"
    return values.str.contains(pattern, case=False, regex=True).fillna(False).astype(bool)


def linking_files(values: pd.Series, hosts: SourceHosts) -> pd.Series:
    """Which texts show or link files of Dispatch Pro: where a text has no files of its own, those are left behind."""
    read = leading(values, hosts)
    files = {text: bool(safe_html(text, hosts).images) for text in values[read].unique()}
    return values.map(files).fillna(False).astype(bool)


def plain(values: pd.Series, hosts: SourceHosts) -> pd.Series:
    """Plain texts without addresses of Dispatch Pro; the others stay as they are, letter by letter."""
    read = leading(values, hosts)
    made = {text: cleared(text, hosts) for text in values[read].unique()}
    return values.where(~read, values[read].map(made)).astype("string")


def summary(values: pd.Series, hosts: SourceHosts) -> pd.Series:
    """Summaries (HTML) without what leads into Dispatch Pro; the others stay as they are, letter by letter."""
    read = leading(values, hosts)
    made = {text: safe_html(text, hosts) for text in values[read].unique()}
    changed = {
        text: safe.html if safe.images or REMOVED in safe.html or hosts.anywhere(text) else text
        for text, safe in made.items()
    }
    return values.where(~read, values[read].map(changed)).astype("string")
