"""How do values and a script get into a page, so that neither can do anything else there?"""

import base64
import hashlib

import orjson
import pandas as pd


def embedded(value: object) -> str:
    """The value as JSON that cannot end the element it stands in."""
    text = orjson.dumps(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def embedded_rows(frame: pd.DataFrame) -> str:
    """The frame's rows as lists, missing values as null."""
    plain = frame.astype(object)
    return embedded(plain.where(plain.notna(), None).to_numpy().tolist())


def script_hash(script: str) -> str:
    """What the page's content security policy calls its one script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
