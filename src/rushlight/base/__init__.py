"""What everything else stands on: dtypes, devices, buffers, errors and the user's line."""
