"""Text: vocabularies, tokenisers, datasets and models, with torchtext's names."""
