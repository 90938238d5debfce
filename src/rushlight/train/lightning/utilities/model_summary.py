"""Lightning's names of the model's table."""

from ...model_summary import ModelSummary, summarize

__all__ = ["ModelSummary", "summarize"]
