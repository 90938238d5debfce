"""Lightning's name of several loaders together."""

