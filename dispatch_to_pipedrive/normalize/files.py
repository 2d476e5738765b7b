"""Which files there are, on which deal, person or organization: attachments of jobs and images found in texts."""

from collections.abc import Mapping

import pandas as pd

from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.notes import IMAGE, PARENTS, of_job
from dispatch_to_pipedrive.normalize.times import utc


def carried_attachments(
    frames: Mapping[str, pd.DataFrame], jobs: pd.DataFrame, limit: int
) -> tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]]:
    """The attachments that become files, those larger than `limit` bytes, of which a note tells, and the leftovers."""
    found = frames["job_attachments"]
    homeless = ~same_root(found, found["job_id"], jobs)
    ordered = found[~homeless].sort_values("job_id", ascending=False, kind="stable")
    twice = ordered.duplicated(["root", "id"]).reindex(found.index, fill_value=False)
    large = (found["size"] > limit).fillna(False).astype(bool) & ~homeless & ~twice
    kept = found[~homeless & ~twice & ~large].reset_index(drop=True)
    lost = [
        left("job_attachments", found, homeless, "its job is not carried"),
        left("job_attachments", found, twice, "listed with a later job, too"),
    ]
    return kept, found[large].reset_index(drop=True), lost


def files(attachments: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The files' frame (see schemas.SCHEMAS); of an image only the bytes tell size and type."""
    number = attachments["id"].astype("string")
    name = attachments["file_name"].astype("string")
    own = pd.DataFrame(
        {
            "source_key": "attachment:" + number + "/file",
            "root": attachments["root"],
            "name": name.where(name.fillna("").str.strip() != "", "attachment " + number),
            "size": attachments["size"].astype("Int64"),
            "media_type": attachments["media_type"].astype("string"),
            "source": "attachment:" + number,
            "attachment_id": attachments["id"].astype("Int64"),
            "created_at": utc(attachments, "job_attachments", "created_on"),
        }
    )
    own = pd.concat([own, of_job(attachments["job_id"])], axis=1)
    return pd.concat([own, images[[*IMAGE, *PARENTS]]], ignore_index=True) if len(images) else own
