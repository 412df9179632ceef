"""Submit a video and print its clips as they come.

Against `streamer up`, in the folder where that was started:

    python clients/examples/submit_and_follow.py
    python clients/examples/submit_and_follow.py --bootstrap localhost:9092 talk.mp4
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer_client import ClipCaption, Clips, Producer, VideoDone, VideoJob


def main() -> int:
    """Exit code 0 if the video was done."""
    arguments = parsed()
    with source_of(arguments.source) as url:
        job = VideoJob(url=url)
        where = {"topic_prefix": arguments.topic_prefix}
        # Opened before the job is submitted, so that nothing of it is missed.
        with (
            Clips(arguments.bootstrap, video_ids=[job.video_id], **where) as clips,
            Producer(arguments.bootstrap, **where) as producer,
        ):
            print("submitted", producer.submit(job), flush=True)
            status = "lost"
            for record in clips:
                if isinstance(record, ClipCaption):
                    print(f"{record.start:8.2f} {record.end:8.2f}  {record.caption}", flush=True)
                elif isinstance(record, VideoDone):
                    status = record.status
                    print(f"{status}, clips: {record.clips}", record.error or "", flush=True)
    return 0 if status == "done" else 1


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Submit a video and print its clips.")
    parser.add_argument("source", nargs="?", help="file or URL; default: a made-up video")
    parser.add_argument("--bootstrap", default="localhost:9092", help="Kafka, as host:port")
    parser.add_argument("--topic-prefix", default="", help="stands before every topic name")
    return parser.parse_args()


@contextmanager
def source_of(given: str | None) -> Iterator[str]:
    """The URL of what was given; of a video made for the occasion if nothing was."""
    if given is not None:
        yield given if "://" in given else Path(given).absolute().as_uri()
        return
    from sample_video import write_sample_video

    # Below this folder, since `streamer up` reads files from where it was started.
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix="streamer-example-") as folder:
        yield write_sample_video(Path(folder) / "sample.mp4").as_uri()


if __name__ == "__main__":
    sys.exit(main())
