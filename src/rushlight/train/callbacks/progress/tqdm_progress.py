"""Lightning's bar by tqdm, drawn by rich."""

from __future__ import annotations

from .rich_progress import RichProgressBar


class TQDMProgressBar(RichProgressBar):
    """Lightning's other name for a bar; it is drawn by rich here.

    Args:
        refresh_rate: after how many batches to draw; 0 shows nothing.
        process_position: accepted.
        leave: whether the bar of an epoch stays when the next begins.
    """

    def __init__(
        self, refresh_rate: int = 1, process_position: int = 0, leave: bool = False
    ) -> None:
        super().__init__(refresh_rate, leave)
        self.process_position = process_position
