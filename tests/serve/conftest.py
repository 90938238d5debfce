"""What the tests of the server share. Without its libraries there is nothing to test."""

import pytest

for library in ("fastapi", "uvicorn", "prometheus_client"):
    pytest.importorskip(library, reason=f"{library} is not installed")
