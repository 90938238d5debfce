"""Collections of text, with torchtext's names, and a novel that is here already."""

from .characters import Characters, PrideAndPrejudice
from .published import AG_NEWS, IMDB, SST2, Multi30k, PennTreebank, WikiText2, WikiText103
from .reading import Lines
