"""The service: a supervisor that polls Kafka and slots that process one job at a time."""

from streamer.worker.supervisor import Supervisor

__all__ = ["Supervisor"]
