"""How a claim is decided: by where the interval of what was measured lies."""

from dataclasses import dataclass
from typing import Literal, get_args

from dominance.records import Interval

Verdict = Literal["reproduced", "contradicted", "undecided", "not possible here"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Side = Literal["above", "below"]
Unit = Literal["share", "share difference", "score", "score difference", "coefficient", "effect", "measure"]


@dataclass(frozen=True)
class Rule:
    """What decides a claim, written down before anything is measured.

    Attributes:
        quantity: what is measured, in words.
        threshold: the claim is reproduced where the 95% interval lies wholly on the paper's side of it, contradicted
            where it lies wholly on the other, else undecided.
        side: of the threshold, on which the paper's figure lies.
        unit: how the quantity is written.
    """

    quantity: str
    threshold: float
    side: Side
    unit: Unit

    @property
    def words(self) -> str:
        """The rule in one sentence."""
        wanted, other = (self.side, "below" if self.side == "above" else "above")
        return (
            f"{self.quantity}; reproduced where its 95% interval lies {wanted} {self.shown}, contradicted where it lies"
            f" {other}, else undecided"
        )

    @property
    def shown(self) -> str:
        """The threshold as it is written."""
        if self.unit in ("share", "share difference"):
            return f"{100 * self.threshold:g}%" if self.threshold else "0"
        return f"{self.threshold:g}"


def decide(rule: Rule, interval: Interval) -> Verdict:
    """The verdict on an interval.

    >>> rule = Rule("the difference", 0.0, "above", "measure")
    >>> decide(rule, (0.1, 0.4)), decide(rule, (-0.4, -0.1)), decide(rule, (-0.1, 0.4))
    ('reproduced', 'contradicted', 'undecided')
    """
    low, high = interval
    if low > rule.threshold:
        return "reproduced" if rule.side == "above" else "contradicted"
    if high < rule.threshold:
        return "reproduced" if rule.side == "below" else "contradicted"
    return "undecided"
