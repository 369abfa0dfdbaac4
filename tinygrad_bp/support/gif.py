"""Pictures one after the other, as a looping GIF."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any


def pillow() -> Any:
    """Pillow's module of images.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    """
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise ImportError("a GIF needs Pillow: pip install pillow") from None


def looping_gif(images: Sequence[Any], milliseconds: int, at_the_end: int) -> bytes:
    """The content of a GIF file, all of it in the colours of the last picture.

    Parameters
    ----------
    images : sequence of Image
        Pillow's, of one size.
    milliseconds, at_the_end : int
        How long each is shown, and the last.
    """
    image = pillow()
    last = images[-1].convert("RGB")
    palette = last.quantize(256, image.Quantize.FASTOCTREE, dither=image.Dither.NONE)
    frames = [x.convert("RGB").quantize(palette=palette, dither=image.Dither.NONE) for x in images]
    times = [milliseconds] * (len(frames) - 1) + [at_the_end]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return file.getvalue()
