"""Pictures of any size to the pixels that an open_clip image tower takes.

The same as ``open_clip.image_transform_v2`` up to its last two steps (to floating point, minus the
mean over the deviation), which the tower does: a quarter of the bytes travel. It is written out
here because importing open_clip takes several hundred megabytes and seconds, and because open_clip
resizes all of a picture and then crops: one of 1x100000 pixels would take 15 GB on the way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.models.open_clip_config import PreprocessConfig, load_config

UInt8Array = NDArray[np.uint8]
Size = tuple[int, int]  # height, width


class ImagePreprocess:
    """Resizes and crops as a checkpoint's configuration says.

    Args:
        checkpoint: folder of the checkpoint.

    Raises:
        UsageError: if its configuration is missing or wrong.
    """

    def __init__(self, checkpoint: Path) -> None:
        config = load_config(checkpoint)
        self._config = config.preprocess_cfg
        self._size = config.image_size

    def __call__(self, image: UInt8Array) -> UInt8Array:
        """The tower's view of an image.

        Args:
            image: uint8 RGB, shape ``(H, W, 3)``, of any size.

        Returns:
            uint8 RGB, of the size that the checkpoint's network takes.

        Raises:
            ValueError: if the image is empty or of another shape or type, or so narrow that
                nothing would be left of it.
        """
        if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape or image.dtype != np.uint8:
            raise ValueError(f"an image is uint8 (H, W, 3), not {image.dtype} {image.shape}")
        return np.asarray(self._resized(Image.fromarray(image)), dtype=np.uint8)

    def _resized(self, picture: Image.Image) -> Image.Image:
        method = _method(self._config, self._size)
        if self._config.resize_mode == "shortest":
            return _cropped(picture, self._size, method)
        if self._config.resize_mode == "longest":
            return _padded(picture, self._size, method, self._config.fill_color)
        return picture.resize(self._size[::-1], method)


def _method(config: PreprocessConfig, size: Size) -> Image.Resampling:
    """The interpolation; open_clip's crop that is not square is always bicubic."""
    bicubic_crop = config.resize_mode == "shortest" and size[0] != size[1]
    if config.interpolation == "bilinear" and not bicubic_crop:
        return Image.Resampling.BILINEAR
    return Image.Resampling.BICUBIC


def _cropped(picture: Image.Image, size: Size, method: Image.Resampling) -> Image.Image:
    """Cover ``size`` and keep the centre, in one step: only what is kept is resized.

    Pillow goes over rows and columns in the order that is cheaper, which may be the other one than
    for the whole picture: of noise that is enlarged, 1 value in 20 then differs by more than 1.
    """
    height, width = size
    tall, wide = _covering(picture, size)
    top, left = round((tall - height) / 2), round((wide - width) / 2)
    down, right = picture.height / tall, picture.width / wide
    box = (
        left * right,
        top * down,
        min((left + width) * right, picture.width),
        min((top + height) * down, picture.height),
    )
    return picture.resize((width, height), method, box=box)


def _covering(picture: Image.Image, size: Size) -> Size:
    """The size of the whole picture when its shorter side fits; rounded as open_clip rounds."""
    if size[0] == size[1]:
        short = min(picture.size)
        return size[0] * picture.height // short, size[0] * picture.width // short
    ratio = min(picture.height / size[0], picture.width / size[1])
    return round(picture.height / ratio), round(picture.width / ratio)


def _padded(picture: Image.Image, size: Size, method: Image.Resampling, fill: int) -> Image.Image:
    """Fit into ``size``, in the middle of a plain picture."""
    ratio = max(picture.height / size[0], picture.width / size[1])
    height, width = round(picture.height / ratio), round(picture.width / ratio)
    if 0 in (height, width):
        raise ValueError(f"an image of {picture.width}x{picture.height} is too narrow")
    padded = Image.new("RGB", size[::-1], (fill, fill, fill))
    padded.paste(
        picture.resize((width, height), method), ((size[1] - width) // 2, (size[0] - height) // 2)
    )
    return padded
