"""What does the work of a fit or a ranking, block by block: the interface of all engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Result = TypeVar("Result")


class Engine(Protocol):
    """Blocks in, arrays out. What a block gives depends neither on the engine nor on its size."""

    @property
    def name(self) -> str:
        """What records call it: "local", or "spark on" its master."""
        ...

    def map(
        self,
        kernel: Callable[[Shared, int, int], Result],
        shared: Shared,
        total: int,
        size: int,
        label: str,
        unit: str,
    ) -> Iterator[Result]:
        """Call `kernel(shared, start, stop)` for every block of at most `size` of `total` rows.

        Args:
            kernel: called for several blocks at once, perhaps in other processes: a function of a module, or
                a `functools.partial` of one with small arguments. It changes nothing of `shared`, and gains
                from threads where it releases the GIL.
            shared: what all blocks read: arrays, alone or in tuples, dicts and dataclasses. An engine shares
                its arrays once.
            total: number of rows.
            size: rows in a block.
            label: what the progress bar says.
            unit: what the progress bar counts.

        Yields:
            What `kernel` returned, in the order of the blocks.
        """
        ...
