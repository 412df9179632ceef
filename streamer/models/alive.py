"""Whether a Triton and the process of each of its models live: the probe of its container.

``python -m streamer.models.alive [--port N]``. Triton itself goes on, and says that it is live and
ready, when the process of a Python model has died; all calls of the model fail from then on.
"""

from __future__ import annotations

import argparse
import sys
from http.client import HTTPConnection, HTTPException

from streamer.embedded.footprints import parents_of_dead_stubs

ANSWER_SECONDS = 4.0


def main() -> int:
    """Say what is wrong, if something is; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of Triton's HTTP service")
    fault = _fault(parser.parse_args().port)
    if fault is not None:
        print(fault, file=sys.stderr)
    return 0 if fault is None else 1


def _fault(port: int) -> str | None:
    if parents_of_dead_stubs():
        return "the process of a model has died"
    connection = HTTPConnection("localhost", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/v2/health/live")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"Triton does not answer on port {port}: {error!r}"
    finally:
        connection.close()
    return None if status == 200 else f"Triton is not live: HTTP status {status}"


if __name__ == "__main__":
    sys.exit(main())
