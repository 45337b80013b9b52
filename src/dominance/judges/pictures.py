"""Pictures as judges take them."""

from PIL import Image


def as_rgb(image: Image.Image) -> Image.Image:
    """The picture in red, green and blue; on white where it is transparent, as the official release shows it."""
    image = in_eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits scaled to 8, where Pillow's own conversion cuts off at 255; any other picture as it is."""
    if not image.mode.startswith("I;16"):
        return image
    scaled = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    scaled.info.pop("transparency", None)  # a value of the 16 bits
    return scaled
