"""Lightning's names of the model's table."""

