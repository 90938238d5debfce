"""NAME: begun with ``rushlight new``."""
