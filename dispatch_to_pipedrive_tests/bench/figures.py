"""What is a figure: a measured number, its goal, and whether it is met."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. `at_least` tells on which side of the goal the value has to be."""

    name: str
    value: float
    goal: float
    unit: str
    at_least: bool = False
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is on the right side of the goal."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def median(values: list[float]) -> float:
    """The middle one of an odd number of values, the mean of the two in the middle of an even number."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
