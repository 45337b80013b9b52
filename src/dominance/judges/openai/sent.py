"""Images as an endpoint receives them."""

import base64
import io

from PIL import Image

from dominance.pictures import as_rgb, png_bytes

JPEG_QUALITY: int = 90


def data_url(image: Image.Image, side: int | None = None) -> str:
    """The image in a URL: as PNG, or as JPEG and scaled down to ``side`` pixels where its longest side is larger."""
    image = as_rgb(image)
    if side is None or max(image.size) <= side:
        return f"data:image/png;base64,{base64.b64encode(png_bytes(image)).decode()}"
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
