"""Other systems' formats, read and written. Pure: no I/O."""
