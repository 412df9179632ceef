"""What a worker tells of itself: metrics, liveness and readiness, on one HTTP port."""

from streamer.telemetry.telemetry import Telemetry

__all__ = ["Telemetry"]
