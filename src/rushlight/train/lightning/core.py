"""Lightning's names of model and data."""

