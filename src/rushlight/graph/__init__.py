"""The recorded program: nodes, the operations they apply, and graphs cut from them."""
