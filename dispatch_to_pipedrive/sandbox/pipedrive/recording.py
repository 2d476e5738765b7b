"""What went over the wire? Exchanges as JSON lines in a file, for a contract test to look at afterwards."""

from __future__ import annotations

from pathlib import Path

import orjson


class Recorder:
    """Writes each exchange to a file while one is set."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.count = 0

    def start(self, path: str) -> None:
        """Append to this file from now on."""
        self.path, self.count = Path(path), 0
        self.path.touch()

    def stop(self) -> None:
        """Note nothing more."""
        self.path = None

    def write(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        request: tuple[str, bytes],
        status: int,
        answer: tuple[bytes, bytes],
    ) -> None:
        """Note one exchange; `request` and `answer` are media type and body. A form's content is left out."""
        if self.path is None:
            return
        line = {
            "method": method,
            "path": path,
            "query": query,
            "media": request[0],
            "request": request[1].decode("utf-8", "replace"),
            "status": status,
            "answer_media": answer[0].decode(),
            "answer": answer[1].decode("utf-8", "replace")
            if answer[0] != b"application/octet-stream"
            else "",
        }
        with self.path.open("ab") as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self.count += 1
