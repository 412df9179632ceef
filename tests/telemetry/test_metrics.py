"""The names and labels that dashboards and alerts are written against, and what is counted."""

from __future__ import annotations

import pytest
from kafka import TopicPartition

from streamer.config import Settings
from streamer.telemetry import Telemetry
from streamer_client.records import ClipBoundary, VideoDone, VideoError

NAMES = {
    "streamer_clips_total": (),
    "streamer_consumer_lag": ("topic", "partition"),
    "streamer_dead_letters_total": ("kind",),
    "streamer_first_boundary_seconds": (),
    "streamer_jobs_in_flight": (),
    "streamer_jobs_total": ("status", "kind"),
    "streamer_last_done_timestamp_seconds": (),
    "streamer_retries_total": ("kind",),
    "streamer_slot_restarts_total": ("reason",),
    "streamer_slots": (),
    "streamer_stage_seconds": ("stage",),
    "streamer_disk_low": (),
    "streamer_triton_ready": (),
    "streamer_video_seconds_total": ("decoder",),
}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(Settings().with_section("worker", slots=3))


def test_names_and_labels_are_as_promised(telemetry: Telemetry) -> None:
    metrics = [each for each in vars(telemetry.metrics).values() if hasattr(each, "_labelnames")]
    totals = {"counter": "_total"}
    labels = {each._name + totals.get(each._type, ""): each._labelnames for each in metrics}
    assert labels == NAMES


def test_a_job_that_is_done(telemetry: Telemetry) -> None:
    telemetry.produced(boundary())
    telemetry.produced(
        VideoDone(
            video_id="a",
            url="u",
            status="done",
            clips=1,
            duration=12.5,
            decoder="dali-gpu+pyav",
            timings={"decode": 0.3, "first_boundary": 0.2, "total": 0.6},
        )
    )
    lines = exposition(telemetry)
    assert {
        'streamer_jobs_total{kind="none",status="done"} 1.0',
        "streamer_clips_total 1.0",
        'streamer_video_seconds_total{decoder="dali-gpu+pyav"} 12.5',
        'streamer_stage_seconds_bucket{le="0.25",stage="decode"} 0.0',
        'streamer_stage_seconds_bucket{le="0.5",stage="decode"} 1.0',
        'streamer_stage_seconds_sum{stage="total"} 0.6',
        "streamer_first_boundary_seconds_count 1.0",
        "streamer_slots 3.0",
    } <= lines
    assert not any('stage="first_boundary"' in line for line in lines)


def test_a_job_that_fails_is_a_dead_letter(telemetry: Telemetry) -> None:
    error = VideoError(stage="worker", kind="slot_timeout", message="too long")
    telemetry.produced(VideoDone(video_id="a", url="u", status="failed", error=error))
    telemetry.slot_replaced("slot_timeout")
    assert {
        'streamer_jobs_total{kind="slot_timeout",status="failed"} 1.0',
        'streamer_dead_letters_total{kind="slot_timeout"} 1.0',
        'streamer_slot_restarts_total{reason="slot_timeout"} 1.0',
    } <= exposition(telemetry)


def test_the_lag_of_a_partition_that_is_gone_is_gone(telemetry: Telemetry) -> None:
    telemetry.metrics.set_lags({TopicPartition("videos", 0): 3})
    telemetry.metrics.set_lags({TopicPartition("videos", 1): 4})
    lags = {line for line in exposition(telemetry) if line.startswith("streamer_consumer_lag")}
    assert lags == {'streamer_consumer_lag{partition="1",topic="videos"} 4.0'}


def exposition(telemetry: Telemetry) -> set[str]:
    return set(telemetry.metrics.exposition().decode().splitlines())


def boundary() -> ClipBoundary:
    return ClipBoundary(
        clip_id="c",
        video_id="a",
        url="u",
        index=0,
        start=0,
        end=1,
        start_frame=0,
        end_frame=25,
        shots=(),
        width=1,
        height=1,
        fps=25,
    )
