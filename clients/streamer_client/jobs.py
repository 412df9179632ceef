"""Jobs onto the topic ``videos``."""

from __future__ import annotations

from typing import Any

from kafka import KafkaProducer

from streamer_client.records import VideoJob
from streamer_client.topics import Topics, cloudevents_headers


def submit(producer: KafkaProducer, topics: Topics, job: VideoJob) -> Any:
    """Send a job, keyed by its ``video_id``; returns kafka-python's future of its receipt."""
    return producer.send(
        topics.videos,
        key=job.video_id.encode(),
        value=job.to_bytes(),
        headers=cloudevents_headers(VideoJob.type, "streamer-client"),
    )
