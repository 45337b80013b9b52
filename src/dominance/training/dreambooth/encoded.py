"""Pictures and captions as the denoiser sees them, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dominance.progress import Progress
from dominance.training.dreambooth.families.family import Family
from dominance.training.dreambooth.families.protocol import Conditions, LatentPictures
from dominance.training.dreambooth.pictures import TrainingPicture, View, read_pictures

_AT_ONCE, _PIXELS_AT_ONCE = 8, 2**18
"""The most pictures, and pixels, that are encoded together: more large ones at once would take much memory."""
_MOST_BYTES = 2**31
"""Memory for encoded captions; those that were not used for longest give way."""


@dataclass(frozen=True, eq=False)
class EncodedPictures:
    """Pictures as latents on the CPU.

    Attributes:
        mirrored: the same pictures mirrored; None where they are not to be.
    """

    pictures: tuple[TrainingPicture, ...]
    views: tuple[View, ...]
    latents: LatentPictures
    mirrored: LatentPictures | None

    def drawn(
        self, places: Sequence[int], generator: torch.Generator
    ) -> tuple[Float[Tensor, "picture channel row column"], list[View]]:
        """Latents of the pictures at these places, drawn from their distributions."""
        listed: Int[Tensor, " picture"] = torch.tensor(places, dtype=torch.long)
        mean, deviation = self.latents.mean[listed], self.latents.deviation[listed]
        if self.mirrored is not None:
            turned = (torch.rand(len(places), generator=generator) < 0.5)[:, None, None, None]
            mean = torch.where(turned, self.mirrored.mean[listed], mean)
            deviation = torch.where(turned, self.mirrored.deviation[listed], deviation)
        noise = torch.randn(mean.shape, generator=generator)
        return mean + deviation * noise, [self.views[place] for place in places]


def encode_pictures(
    family: Family, pictures: Sequence[TrainingPicture], side: int, device: torch.device, mirror: bool, name: str
) -> EncodedPictures:
    """Reads and encodes pictures; the autoencoder is on the device meanwhile, and then where it was.

    Raises:
        InputError: a picture cannot be read.
    """
    autoencoder = family.pipeline.vae
    place, precision = autoencoder.device, autoencoder.dtype
    _cast(autoencoder, device, torch.float32)  # SDXL's overflows in half precision
    turns = (False, True)[: 1 + mirror]
    at_once = max(1, min(_AT_ONCE, _PIXELS_AT_ONCE // side**2))
    encoded: dict[bool, list[LatentPictures]] = {turned: [] for turned in turns}
    views: list[View] = []
    try:
        with Progress(name, total=len(pictures)) as progress:
            for start in range(0, len(pictures), at_once):
                pixels, seen = read_pictures([p.file for p in pictures[start : start + at_once]], side)
                views += seen
                for turned in turns:
                    latents = family.encode_pictures((pixels.flip(-1) if turned else pixels).to(device))
                    encoded[turned].append(LatentPictures(latents.mean.cpu(), latents.deviation.cpu()))
                progress.advance(len(seen))
    finally:
        _cast(autoencoder, place, precision)
    together = {turned: _together(parts) for turned, parts in encoded.items()}
    return EncodedPictures(tuple(pictures), tuple(views), together[False], together.get(True))


def _together(parts: Sequence[LatentPictures]) -> LatentPictures:
    return LatentPictures(torch.cat([part.mean for part in parts]), torch.cat([part.deviation for part in parts]))


def _cast(autoencoder: Any, device: torch.device, precision: torch.dtype) -> None:
    """Diffusers warns of any cast, also of one that changes nothing."""
    autoencoder.to(device) if autoencoder.dtype == precision else autoencoder.to(device=device, dtype=precision)


class EncodedCaptions:
    """Captions as conditions, each encoded when it is first needed and then kept on the CPU.

    Each is encoded by itself: beside others it would differ in the last bits, and a resumed run from one that was not.
    """

    def __init__(self, family: Family, device: torch.device) -> None:
        self._family, self._device = family, device
        self._known: dict[str, dict[str, Tensor]] = {}
        self._bytes = 0

    @torch.no_grad()
    def __call__(self, captions: Sequence[str]) -> Conditions:
        """Rows for the captions, on the device."""
        known = {caption: self._row(caption) for caption in dict.fromkeys(captions)}
        rows = [known[caption] for caption in captions]
        return {name: torch.stack([row[name] for row in rows]).to(self._device) for name in rows[0]}

    def learn(self, captions: Sequence[str]) -> bool:
        """Encodes captions beforehand; whether all of them are now kept, so that no text encoder is needed."""
        for caption in dict.fromkeys(captions):
            self._row(caption)
        return all(caption in self._known for caption in captions)

    @torch.no_grad()
    def _row(self, caption: str) -> dict[str, Tensor]:
        row = self._known.pop(caption, None)
        if row is None:
            encoded = self._family.encode_captions([caption])
            row = {name: value[0].detach().cpu() for name, value in encoded.items()}
            self._bytes += _bytes(row)
            while self._known and self._bytes > _MOST_BYTES:
                self._bytes -= _bytes(self._known.pop(next(iter(self._known))))
        self._known[caption] = row
        return row


def _bytes(row: dict[str, Tensor]) -> int:
    return sum(value.numel() * value.element_size() for value in row.values())
