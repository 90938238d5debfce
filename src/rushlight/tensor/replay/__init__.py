"""``rushlight.compile``: calling a function again without recording its work again."""
