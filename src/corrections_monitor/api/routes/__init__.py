"""One file per resource of CONTRACT §6."""
