"""Lightning's exceptions."""

