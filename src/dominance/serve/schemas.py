"""The schemas of what commands print, made in a process of its own: their classes load torch, which pages never need.

``python -m dominance.serve.schemas`` prints them by command; it is no command for users.
"""

import json
import subprocess
import sys
from functools import cache
from typing import Any

from fastapi import HTTPException
from pydantic import TypeAdapter

from dominance.serve.verbs import VERBS

_LONGEST = 300.0
"""Seconds, on a machine that does much else."""


@cache
def result_schemas() -> dict[str, dict[str, Any]]:
    """By the command's name, each with its ``$defs``.

    Raises:
        HTTPException: the process failed; the next request begins it again.
    """
    command = [sys.executable, "-m", "dominance.serve.schemas"]
    try:
        ended = subprocess.run(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_LONGEST
        )
    except (OSError, subprocess.SubprocessError):
        raise HTTPException(503, "the schemas could not be made; ask again", {"retry-after": "10"}) from None
    return json.loads(ended.stdout)


def _made() -> dict[str, dict[str, Any]]:
    template = "#/components/schemas/{model}"
    return {
        verb.name: TypeAdapter(verb.result()).json_schema(mode="serialization", by_alias=True, ref_template=template)
        for verb in VERBS.values()
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_made()))
