"""Lightning's functions around seeds."""

