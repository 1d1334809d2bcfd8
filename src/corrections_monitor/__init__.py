"""corrections-monitor (社区矫正监测): from a device's fix to the officer who answers for it."""

__version__ = "0.1.0"
