"""Every figure that the project quotes, measured by ``make bench``."""
