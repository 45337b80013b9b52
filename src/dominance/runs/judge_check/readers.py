"""How far the readers of the labelled pictures agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.documents import Counted
from dominance.metrics import category_kappa, category_kappa_interval, rate
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import LabelledPicture
from dominance.numbers import coefficient, plural, share
from dominance.records import Interval


@dataclass(frozen=True)
class ReaderAgreement:
    """Two readers or more, each of whom called every concept of the world plain, doubtful or absent on every picture.

    Attributes:
        same: pairs of a picture and a concept of which all say the same.
        mentioned: the same of the pairs that at least one of them does not call absent.
        kappa: Cohen's κ of the first two over all pairs, in three categories; its interval draws whole pictures.
        plain, doubtful, absent: pairs by what comes of it; doubtful is also where they do not agree.
    """

    pictures: int
    readers: int
    same: Counted
    mentioned: Counted
    kappa: float | None
    kappa_interval: Interval | None
    plain: int
    doubtful: int
    absent: int

    @property
    def sentence(self) -> str:
        """In words."""
        alike = f"{self.same.count} of {self.same.n} pairs of a picture and a concept ({share(self.same.share or 0.0)})"
        some = (
            f"{self.mentioned.count} of {self.mentioned.n} that one of them saw ({share(self.mentioned.share or 0.0)})"
        )
        kappa = coefficient(self.kappa, self.kappa_interval)
        return (
            f"{plural(self.readers, 'reader')} of {plural(self.pictures, 'picture')} say the same of {alike} and of"
            f" {some}; κ = {kappa}; {self.plain} are plain, {self.doubtful} doubtful or disputed, {self.absent} absent."
        )


def agreement_of_readers(pictures: Sequence[LabelledPicture]) -> ReaderAgreement | None:
    """How far they agree; None without a picture, or with a single reader."""
    readers = len(pictures[0].readers) if pictures else 0
    if readers < 2:
        return None
    pairs = [(picture, name) for picture in pictures for name in BY_NAME]
    said = [[seen.label(name) for seen in picture.readers] for picture, name in pairs]
    first, second = ([labels[reader] for labels in said] for reader in (0, 1))
    alike = [len(set(labels)) == 1 for labels in said]
    mentioned = [same for same, labels in zip(alike, said, strict=True) if set(labels) != {"absent"}]
    agreed = [picture.label(name) for picture, name in pairs]
    return ReaderAgreement(
        pictures=len(pictures),
        readers=readers,
        same=rate(sum(alike), len(alike)),
        mentioned=rate(sum(mentioned), len(mentioned)),
        kappa=category_kappa(first, second),
        kappa_interval=category_kappa_interval(first, second, [picture.number for picture, _ in pairs]),
        plain=agreed.count("plain"),
        doubtful=agreed.count("doubtful"),
        absent=agreed.count("absent"),
    )
