"""Pictures as judges take them."""

from PIL import Image


def as_rgb(image: Image.Image) -> Image.Image:
    """The picture in red, green and blue; on white where it is transparent, as the official release shows it."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
