"""Settings: frozen, validated at start; from ``streamer.toml``, then ``STREAMER_*``, then flags."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from streamer.errors import UsageError
from streamer_client.records import JobOptions

CONFIG_FILE = "streamer.toml"
MEBIBYTE = 1 << 20

Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A table of ``streamer.toml``; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Section):
    """How to reach the broker."""

    bootstrap: str = "localhost:9092"
    topic_prefix: str = ""
    group: str = "streamer"
    partitions: PositiveInt = 12
    replication: PositiveInt = 1
    retention_hours: Positive = 168.0
    session_timeout_seconds: Annotated[
        float, Field(ge=1, description="After this long without a heartbeat a worker is gone.")
    ] = 45.0
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_cafile: Path | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None


class TritonSettings(Section):
    """How to reach the models."""

    url: str = "localhost:8001"
    timeout_seconds: Positive = 60.0
    tls: bool = False
    ssl_cafile: Annotated[
        Path | None, Field(description="Whom to trust; left out: the system's authorities.")
    ] = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None


class AcquireSettings(Section):
    """What may be fetched, and how much of it."""

    allowed_roots: tuple[Path, ...] = ()
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    max_bytes: PositiveInt = 20 << 30
    connect_timeout_seconds: Positive = 10.0
    read_timeout_seconds: Positive = 30.0
    total_timeout_seconds: Positive = 3600.0
    page_cpu_seconds: Annotated[
        float, Field(gt=0, description="Processor time that reading one page may take.")
    ] = 60.0
    temp_dir: Path = Field(default_factory=lambda: Path(tempfile.gettempdir()))
    min_free_mb: Annotated[
        int, Field(ge=0, description="Free space that the disk of temp_dir keeps.")
    ] = 512
    max_per_host: Annotated[
        int, Field(ge=1, description="Fetches from one host at once, over all slots of a worker.")
    ] = 4


class DecodeSettings(Section):
    """What is decoded, how much of it, and by what."""

    decoder: Annotated[
        Literal["auto", "dali", "pyav"],
        Field(description="auto: DALI on a GPU where it can, otherwise PyAV."),
    ] = "auto"
    device: Annotated[
        Literal["auto", "cpu", "gpu"],
        Field(description="Where DALI decodes; its CPU decoder takes VP8, VP9 and MJPEG."),
    ] = "auto"
    after_break: Annotated[
        Literal["pyav", "partial"],
        Field(description="Where DALI meets damage: PyAV goes on, or the video ends."),
    ] = "pyav"
    gpu_memory_mb: Annotated[
        int, Field(gt=0, description="GPU memory that a slot is expected to take, an estimate.")
    ] = 2048
    sample_rate: Annotated[float, Field(gt=0, le=30, description="Samples per second.")] = 4.0
    sample_short_side: Annotated[int, Field(ge=32, description="Pixels; never enlarged.")] = 360
    max_seconds: Positive = 12 * 3600.0
    max_pixels: Annotated[int, Field(gt=0, description="Width times height of a frame.")] = 8192**2
    threads: Annotated[int, Field(ge=1)] = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 8)
    )

    @model_validator(mode="after")
    def _pyav_is_on_the_cpu(self) -> Self:
        if self.decoder == "pyav" and self.device == "gpu":
            raise ValueError("pyav decodes on the CPU; leave device out, or use decoder dali")
        return self


class SplitSettings(Section):
    """How a video is split; thresholds left out come from the served ``clip`` model."""

    detector: Literal["auto", "content", "transnetv2"] | None = None
    preset: Literal["default", "panda-released", "panda-collected"] = "default"
    stitch_distance: Positive | None = None
    event_distance: Positive | None = None
    transition_distance: Positive | None = None
    still_distance: Annotated[float, Field(ge=0)] | None = None
    repeat_distance: Annotated[float, Field(ge=0)] | None = None

    @property
    def chosen_detector(self) -> Literal["auto", "content", "transnetv2"]:
        """The detector as set, else the preset's: those of Panda-70M go with ``content``."""
        return self.detector or ("auto" if self.preset == "default" else "content")


class CaptionSettings(Section):
    """What the captioners see."""

    frames: Annotated[int, Field(ge=1, le=64, description="Frames per clip.")] = 8
    in_flight: Annotated[int, Field(ge=1, description="Clips on Triton at once, per slot.")] = 3


class WorkerSettings(Section):
    """How the worker runs its slots."""

    slots: PositiveInt = 1
    job_timeout_seconds: Positive = 6 * 3600.0
    slot_memory_mb: PositiveInt = 4096
    grace_seconds: Positive = 30.0
    delivery: Literal["at-least-once", "exactly-once"] = "at-least-once"
    breaker_jobs: Annotated[
        int, Field(ge=2, description="Stop when most of the last so many fail for one reason.")
    ] = 20


class RetrySettings(Section):
    """How often a job is tried again while the world is bad."""

    max_attempts: PositiveInt = 5
    base_seconds: Positive = 5.0
    max_seconds: Positive = 300.0
    total_seconds: Positive = 3600.0


class TelemetrySettings(Section):
    """Where the worker serves ``/healthz``, ``/readyz`` and ``/metrics``."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from other machines


class Settings(Section):
    """All settings of the service."""

    kafka: KafkaSettings = KafkaSettings()
    triton: TritonSettings = TritonSettings()
    acquire: AcquireSettings = AcquireSettings()
    decode: DecodeSettings = DecodeSettings()
    split: SplitSettings = SplitSettings()
    caption: CaptionSettings = CaptionSettings()
    worker: WorkerSettings = WorkerSettings()
    retry: RetrySettings = RetrySettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    def for_job(self, options: JobOptions) -> Settings:
        """These settings with what one job overrides for itself."""
        chosen = options.model_dump(include={"detector", "preset"}, exclude_none=True)
        return self.with_section("split", **chosen)

    def with_section(self, name: str, **values: Any) -> Settings:
        """These settings with some values of one section replaced by valid ones."""
        section: Section = getattr(self, name)
        return self.model_copy(update={name: section.model_copy(update=values)})


def load_settings(
    config: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """The effective settings.

    Args:
        config: file to read instead of ``$STREAMER_CONFIG`` or ``streamer.toml`` in this folder.
        flags: values from the command line by section; ``None`` values are left out.

    Raises:
        UsageError: naming the file's fault, or the first setting that is wrong.
    """
    file = config or Path(os.environ.get("STREAMER_CONFIG", CONFIG_FILE))
    if (config or "STREAMER_CONFIG" in os.environ) and not file.is_file():
        raise UsageError(f"there is no settings file {str(file)!r}")
    try:
        return _read(file, _without_nones(flags or {}))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not TOML: {error}") from error
    except SettingsError as error:
        raise UsageError(f"{error}: {error.__cause__}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting {setting}: {first['msg']} (in {file}, a STREAMER_ variable, or a flag)"
        ) from error


def as_environment(settings: Settings) -> dict[str, str]:
    """Variables that make a child process load exactly these settings; secrets in the clear."""
    sections = settings.model_dump(mode="json", exclude_none=True)
    if settings.kafka.sasl_password is not None:
        sections["kafka"]["sasl_password"] = settings.kafka.sasl_password.get_secret_value()
    variables = {f"STREAMER_{name.upper()}": json.dumps(each) for name, each in sections.items()}
    inherited = {key: value for key, value in os.environ.items() if key[:9] != "STREAMER_"}
    return {**inherited, **variables}


def _without_nones(flags: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    chosen = {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in flags.items()
    }
    return {section: values for section, values in chosen.items() if values}


def _read(file: Path, flags: dict[str, Any]) -> Settings:
    class Loader(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix="STREAMER_", env_nested_delimiter="__", toml_file=file, extra="forbid"
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            """Flags over variables over the file."""
            return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    loaded = Loader(**flags)
    return Settings.model_construct(
        **{name: getattr(loaded, name) for name in Settings.model_fields}
    )
