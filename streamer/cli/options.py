"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Detector(StrEnum):
    """Shot detectors."""

    AUTO = "auto"
    CONTENT = "content"
    TRANSNETV2 = "transnetv2"


class Preset(StrEnum):
    """Presets of the splitting rules."""

    DEFAULT = "default"
    PANDA_RELEASED = "panda-released"
    PANDA_COLLECTED = "panda-collected"


class Decoder(StrEnum):
    """Decoders."""

    AUTO = "auto"
    DALI = "dali"
    PYAV = "pyav"


class Device(StrEnum):
    """Where DALI decodes."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Delivery(StrEnum):
    """Promises of delivery."""

    AT_LEAST_ONCE = "at-least-once"
    EXACTLY_ONCE = "exactly-once"


ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file instead of ./streamer.toml.")
]
BootstrapOption = Annotated[
    str | None, typer.Option("--bootstrap", help="Kafka, as host:port[,host:port…].")
]
PrefixOption = Annotated[
    str | None, typer.Option("--topic-prefix", help="Stands before every topic name.")
]
TritonOption = Annotated[str | None, typer.Option("--triton", help="Triton's gRPC, host:port.")]
AllowRootOption = Annotated[
    list[Path] | None,
    typer.Option("--allow-root", help="Local files below this folder may be read; repeatable."),
]
DetectorOption = Annotated[Detector | None, typer.Option(help="How cuts are found.")]
PresetOption = Annotated[Preset | None, typer.Option(help="Rules of splitting.")]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", help="Model repository to serve; default: the offline profile."),
]
LogDirOption = Annotated[
    Path, typer.Option("--log-dir", help="Where the services write their logs.")
]
TruthOption = Annotated[
    list[Path],
    typer.Option("--truth", metavar="MANIFEST", help="Truth beside a video; repeatable."),
]
MoreTruths = Annotated[
    list[Path] | None, typer.Argument(metavar="[MANIFEST…]", help="More of them.")
]
DecoderOption = Annotated[
    Decoder | None, typer.Option(help="What decodes; auto: DALI on a GPU, otherwise PyAV.")
]
DeviceOption = Annotated[
    Device | None, typer.Option(help="Where DALI decodes; its CPU takes VP8, VP9 and MJPEG.")
]
